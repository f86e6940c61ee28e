using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// What tells one state of a file or directory from another without reading it: identity, size and the two times. The change
/// time cannot be set back by a program, so a file replaced by one with an older date is seen too. A link is followed.
/// A path that leads nowhere has the default value.
/// </summary>
/// <param name="Mode">Kind and permissions, as <c>st_mode</c>.</param>
/// <param name="Device">Device number.</param>
/// <param name="Inode">Inode number.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Modified">Last change of the content, nanoseconds since 1970.</param>
/// <param name="Changed">Last change of anything about the file, nanoseconds since 1970.</param>
public readonly record struct FileStamp(ushort Mode, ulong Device, ulong Inode, ulong Size, long Modified, long Changed)
{
    private const int KindMask = 0xf000;
    private const int Directory = 0x4000;
    private const int RegularFile = 0x8000;

    /// <summary>False if there was nothing (or nothing reachable) under the path.</summary>
    public bool Exists => Mode != 0;

    /// <summary>True for a file with content, not a device, pipe or socket.</summary>
    public bool IsRegularFile => (Mode & KindMask) == RegularFile;

    /// <summary>True for a directory.</summary>
    public bool IsDirectory => (Mode & KindMask) == Directory;

    /// <summary>Looks at <paramref name="path"/> now.</summary>
    public static unsafe FileStamp Of(string path)
    {
        byte* status = stackalloc byte[FileCalls.StatxSize];
        return FileCalls.Statx(FileCalls.AT_FDCWD, path, 0, FileCalls.STATX_BASIC_STATS, status) == 0 ? Read(status) : default;
    }

    /// <summary>Looks at an open file now.</summary>
    /// <exception cref="LinuxException">The kernel does not say.</exception>
    public static unsafe FileStamp Of(SafeFileHandle file)
    {
        byte* status = stackalloc byte[FileCalls.StatxSize];
        return FileCalls.Statx(file, "", FileCalls.AT_EMPTY_PATH, FileCalls.STATX_BASIC_STATS, status) == 0
            ? Read(status)
            : throw LinuxException.FromLastError("statx");
    }

    // struct statx (256 bytes): mode u16 @28, ino u64 @32, size u64 @40, ctime @96, mtime @112 (each seconds i64,
    // nanoseconds u32), dev_major u32 @136, dev_minor u32 @140
    private static unsafe FileStamp Read(byte* status) => new(
        *(ushort*)(status + 28),
        ((ulong)*(uint*)(status + 136) << 32) | *(uint*)(status + 140),
        *(ulong*)(status + 32),
        *(ulong*)(status + 40),
        Nanoseconds(status + 112),
        Nanoseconds(status + 96));

    private static unsafe long Nanoseconds(byte* time) => (*(long*)time * 1_000_000_000) + *(uint*)(time + 8);
}
