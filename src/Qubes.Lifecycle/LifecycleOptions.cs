namespace Qubes.Lifecycle;

/// <summary>Settings of the lifecycle.</summary>
public sealed class LifecycleOptions
{
    /// <summary>The program that is each qube's qrexec daemon; null where guests have no qrexec.</summary>
    public string? QrexecDaemonProgram { get; init; }

    /// <summary>qrexec-client, by which services in guests are called; null where guests have no qrexec.</summary>
    public string? QrexecClientProgram { get; init; }

    /// <summary>How often memory and processor use of running qubes are looked at.</summary>
    public TimeSpan SamplingPeriod { get; init; } = TimeSpan.FromSeconds(3);
}
