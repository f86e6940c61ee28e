namespace Qubes.Extensions.OutOfProcess.Rpc;

/// <summary>What a message of JSON-RPC 2.0 is.</summary>
public enum RpcKind
{
    /// <summary>Has a method and an id: an answer is due.</summary>
    Request,

    /// <summary>Has a method and no id.</summary>
    Notification,

    /// <summary>Answers a request.</summary>
    Result,

    /// <summary>Answers a request that could not be carried out, or was refused.</summary>
    Error,
}
