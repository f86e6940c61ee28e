namespace Qubes.Storage;

/// <summary>What becomes of a volume's content over starts and stops.</summary>
public enum VolumeKind
{
    /// <summary>Empty at each start, dropped at stop; or read-only.</summary>
    Volatile,

    /// <summary>At each start a snapshot of the source's last committed state, dropped at stop.</summary>
    Snapshot,

    /// <summary>Changes are committed at stop.</summary>
    Origin,
}
