namespace Qubes.Qrexec.Daemon;

/// <summary>An allowed call could not be carried out; the caller sees a refusal. The message is safe to log.</summary>
internal sealed class CallFailedException(string message, Exception? inner = null) : Exception(message, inner);
