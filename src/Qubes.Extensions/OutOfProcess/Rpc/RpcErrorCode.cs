namespace Qubes.Extensions.OutOfProcess.Rpc;

/// <summary>Error codes: those of JSON-RPC 2.0, and ours.</summary>
public static class RpcErrorCode
{
    public const int InvalidRequest = -32600;
    public const int MethodNotFound = -32601;
    public const int InvalidParams = -32602;
    public const int InternalError = -32603;

    /// <summary>Too many requests of one extension are being worked on.</summary>
    public const int Busy = -32000;

    /// <summary>An extension's "no" to an event it was asked about; also an error of the Admin API, whose name is in the data.</summary>
    public const int Refused = 1;
}
