namespace Qubes.Qrexec.Services;

/// <summary>Settings of a service, from its file in the <c>rpc-config</c> directories; defaults when there is none.</summary>
public sealed record ServiceConfiguration
{
    /// <summary>The settings of a service without a configuration file.</summary>
    public static ServiceConfiguration Default { get; } = new();

    /// <summary>Wait for the user's session before the service starts.</summary>
    public bool WaitForSession { get; init; }

    /// <summary>Replaces the user of the command (inside a qube).</summary>
    public string? ForceUser { get; init; }

    /// <summary>Sockets: do not send the service descriptor.</summary>
    public bool SkipServiceDescriptor { get; init; }

    /// <summary>Sockets: the call ends when the caller closes its input.</summary>
    public bool ExitOnClientEof { get; init; }

    /// <summary>Sockets: the call ends when the service closes its side.</summary>
    public bool ExitOnServiceEof { get; init; }

    /// <summary>True when a setting is present that only the agent's own handling of sockets can honour.</summary>
    public bool HasSocketSettings => SkipServiceDescriptor || ExitOnClientEof || ExitOnServiceEof;
}
