namespace Qubes.Qrexec.Agent;

/// <summary>Settings of the agent.</summary>
public sealed record AgentOptions
{
    /// <summary>The socket on which <c>qrexec-client-vm</c> asks for services.</summary>
    public required string TriggerSocket { get; init; }

    /// <summary>Sockets of fork servers, <c>%s</c> for the user; null: none are used.</summary>
    public string? ForkServerPattern { get; init; }
}
