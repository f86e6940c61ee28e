namespace Qubes.Storage;

/// <summary>What volumes of a driver can do. A volume may still refuse where its kind makes no sense of it.</summary>
[Flags]
public enum PoolCapabilities
{
    None = 0,

    /// <summary>Volumes can be made, and written to by qubes.</summary>
    Writable = 1,

    /// <summary>A start takes a snapshot of another volume.</summary>
    Snapshots = 2,

    /// <summary>Former states are kept, and can be gone back to.</summary>
    Revisions = 4,

    /// <summary>Sizes can be changed.</summary>
    Resize = 8,

    /// <summary>Content can be replaced from a stream or from another volume.</summary>
    Import = 16,

    /// <summary>Content can be read by other programs.</summary>
    Export = 32,

    /// <summary>A copy costs neither time nor space in proportion to the data.</summary>
    CheapCopies = 64,

    /// <summary>A volatile volume can be encrypted with a key that nobody keeps.</summary>
    Ephemeral = 128,
}
