namespace Qubes.Storage;

/// <summary>How the bytes of a disk lie in its file. Never guessed from content: a guest writes that.</summary>
public enum DiskFormat
{
    Raw,
    Qcow2,
}
