namespace Qubes.Extensions.OutOfProcess.Rpc;

/// <summary>What an extension wrote is no message of this protocol: nothing that follows can be trusted.</summary>
public sealed class RpcFormatException(string message) : Exception(message);
