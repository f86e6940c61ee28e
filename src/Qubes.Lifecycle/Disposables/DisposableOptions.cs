using Qubes.Lifecycle.Network;

namespace Qubes.Lifecycle.Disposables;

/// <summary>What the keeping of disposables depends on outside.</summary>
public sealed class DisposableOptions
{
    /// <summary>Null where guests have no qrexec: they are then ready as soon as they run.</summary>
    public IGuestServices? Services { get; init; }

    /// <summary>The file in which the memory balancer tells how many bytes are free; without it memory is no limit.</summary>
    public string? FreeMemoryFile { get; init; }

    /// <summary>Gives a disposable that waited the network it is to have now; null where there is none.</summary>
    public DeferredNetwork? Network { get; init; }
}
