namespace Qubes.Storage;

/// <summary>One committed state of a volume: an image, and what it lies on.</summary>
/// <param name="Id">Identity of the state, rising; the id of the revision if it is one.</param>
/// <param name="File">Number in the file's name. Differs from the id after the state was merged into its parent's file.</param>
/// <param name="Format">Raw only for layers without parent.</param>
/// <param name="Parent">Id of the layer beneath; 0 for none.</param>
/// <param name="Size">Bytes the guest sees.</param>
/// <param name="Committed">When, in nanoseconds since 1970.</param>
/// <param name="IsRevision">It is kept for a person to go back to.</param>
internal sealed record Layer(int Id, int File, DiskFormat Format, int Parent, long Size, long Committed, bool IsRevision)
{
    /// <summary>What follows the volume's base name.</summary>
    public string Suffix => Format == DiskFormat.Raw ? $".{File}.img" : $".{File}.qcow2";
}
