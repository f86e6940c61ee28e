using Qubes.Protocol.Events;

namespace Qubes.Model.Volumes;

/// <summary>
/// What the store keeps of one volume of a qube. The model only holds it; the storage layer gives it meaning. Immutable:
/// a change replaces the whole record (<see cref="QubeVolumes.Set"/>), which is what makes undo and cached serialisation cheap.
/// </summary>
public sealed record VolumeConfig : IEventValue
{
    /// <summary>The name within the qube: <c>root</c>, <c>private</c>, <c>volatile</c>, <c>kernel</c>, or any other.</summary>
    public required string Name { get; init; }

    /// <summary>The name of the pool the volume lives in; null until one was chosen (then <c>default_pool_NAME</c> applies).</summary>
    public string? Pool { get; init; }

    /// <summary>The volume's id within its pool; null until the pool's driver gave it one.</summary>
    public string? Vid { get; init; }

    /// <summary>Size in bytes; 0 means unknown or taken from the source.</summary>
    public long Size { get; init; }

    /// <summary>The qube may write to it.</summary>
    public bool Rw { get; init; }

    /// <summary>Changes are kept when the qube stops.</summary>
    public bool SaveOnStop { get; init; }

    /// <summary>Each start begins with a snapshot of <see cref="Source"/>.</summary>
    public bool SnapOnStart { get; init; }

    /// <summary>The vid, in the same pool, of the volume a snapshot is taken of.</summary>
    public string? Source { get; init; }

    /// <summary>
    /// The store has a <c>source</c> entry without a value: the source is found by following the templates
    /// (the nearest template's volume of the same name that is no snapshot itself).
    /// </summary>
    public bool SourceFromTemplate { get; init; }

    /// <summary>How many old revisions are kept; null means the pool's default, negative disables snapshots while running.</summary>
    public int? RevisionsToKeep { get; init; }

    /// <summary>Explicit choice of encryption with a key that is thrown away at stop; null means the pool decides.</summary>
    public bool? Ephemeral { get; init; }

    /// <summary>Attributes only the driver knows, in the order of the store.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Extra { get; init; } = [];

    /// <inheritdoc/>
    public string EventText => Vid ?? Name;
}
