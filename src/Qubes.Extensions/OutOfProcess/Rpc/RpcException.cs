namespace Qubes.Extensions.OutOfProcess.Rpc;

/// <summary>An error that travels as the answer to a request.</summary>
public sealed class RpcException : Exception
{
    /// <param name="code">See <see cref="RpcErrorCode"/>.</param>
    /// <param name="message">For people.</param>
    /// <param name="type">The name of the Admin API's exception class, if it is one.</param>
    public RpcException(int code, string message, string? type = null)
        : base(message)
    {
        Code = code;
        Type = type;
    }

    public int Code { get; }

    public string? Type { get; }

    public static RpcException InvalidParams(string message) => new(RpcErrorCode.InvalidParams, message);
}
