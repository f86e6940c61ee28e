namespace Qubes.Qrexec.Daemon;

/// <summary>The agent broke the control protocol. There is no way to resynchronise: the daemon of that qube ends.</summary>
public sealed class AgentProtocolException(string message) : Exception(message);
