namespace Qubes.Qrexec.Daemon;

/// <summary>One life of the agent: from its HELLO until its control link ends.</summary>
/// <param name="Link">The control link.</param>
/// <param name="Pending">Calls of the qube that are not settled.</param>
/// <param name="Ended">Cancelled when the agent is gone or the daemon stops.</param>
internal sealed record AgentSession(ControlLink Link, PendingCalls Pending, CancellationToken Ended)
{
    /// <summary>Longest wait of a local client or a decision for an agent that does not read.</summary>
    public static TimeSpan SendPatience { get; } = TimeSpan.FromSeconds(30);
}
