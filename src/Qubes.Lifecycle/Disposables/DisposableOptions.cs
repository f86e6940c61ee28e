namespace Qubes.Lifecycle.Disposables;

/// <summary>What the keeping of disposables depends on outside.</summary>
public sealed class DisposableOptions
{
    /// <summary>Null where guests have no qrexec: they are then ready as soon as they run.</summary>
    public IGuestServices? Services { get; init; }

    /// <summary>The file in which the memory balancer tells how many bytes are free; without it memory is no limit.</summary>
    public string? FreeMemoryFile { get; init; }
}
