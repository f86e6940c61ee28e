using Qubes.Linux;

namespace Qubes.Lifecycle;

/// <summary>Settings of the lifecycle.</summary>
public sealed class LifecycleOptions
{
    /// <summary>
    /// The program that is each qube's qrexec daemon and, under another name, its QubesDB daemon; null where guests have no qrexec, and
    /// no QubesDB that they see.
    /// </summary>
    public string? DaemonProgram { get; init; }

    /// <summary>qrexec-client, by which services in guests are called; null where guests have no qrexec.</summary>
    public string? QrexecClientProgram { get; init; }

    /// <summary>Whom the daemons of qubes, and what calls services in them, run as; null: as we.</summary>
    public DaemonAccount? Account { get; init; }

    /// <summary>How often memory and processor use of running qubes are looked at.</summary>
    public TimeSpan SamplingPeriod { get; init; } = TimeSpan.FromSeconds(3);
}
