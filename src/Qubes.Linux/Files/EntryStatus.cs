namespace Qubes.Linux;

/// <summary>What a <see cref="RootedDirectory"/> knows about one of its entries; a symbolic link is described itself.</summary>
/// <param name="Device">Major and minor number of the device; with <paramref name="Inode"/> the file's identity.</param>
/// <param name="Links">Names the file has.</param>
/// <param name="Size">Bytes.</param>
/// <param name="AllocatedSize">Bytes on disk; less than <paramref name="Size"/> for sparse files.</param>
/// <param name="ModifiedNanoseconds">Time of the last change of content, nanoseconds since 1970.</param>
public readonly record struct EntryStatus(
    uint Mode, ulong Device, ulong Inode, uint Links, long Size, long AllocatedSize, long ModifiedNanoseconds)
{
    private const uint TypeMask = 0xF000;

    public bool IsRegularFile => (Mode & TypeMask) == 0x8000;

    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    /// <summary>Modification time to .NET's precision.</summary>
    public DateTimeOffset Modified => DateTimeOffset.UnixEpoch.AddTicks(ModifiedNanoseconds / TimeSpan.NanosecondsPerTick);

    /// <summary>True when both describe the same file.</summary>
    public bool IsSameFileAs(EntryStatus other) => Inode == other.Inode && Device == other.Device;
}
