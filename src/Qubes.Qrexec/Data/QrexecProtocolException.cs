namespace Qubes.Qrexec.Data;

/// <summary>The peer of a qrexec link does what the protocol does not allow.</summary>
public sealed class QrexecProtocolException(string message) : IOException(message);
