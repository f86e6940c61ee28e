using System.Runtime.InteropServices;

namespace Qubes.Linux.Files;

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
public readonly partial record struct FileStamp(ushort Mode, ulong Device, ulong Inode, ulong Size, long Modified, long Changed)
{
    private const int CurrentDirectory = -100;
    private const uint WantedFields = 0x1 | 0x2 | 0x40 | 0x80 | 0x100 | 0x200;
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
        StatX result = default;
        return Statx(CurrentDirectory, path, 0, WantedFields, &result) == 0
            ? new FileStamp(
                result.Mode,
                ((ulong)result.DeviceMajor << 32) | result.DeviceMinor,
                result.Inode,
                result.Size,
                result.Modified.Nanoseconds,
                result.Changed.Nanoseconds)
            : default;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, StatX* result);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Time
    {
        private readonly long _seconds;
        private readonly uint _nanoseconds;
        private readonly int _reserved;

        public long Nanoseconds => (_seconds * 1_000_000_000) + _nanoseconds;
    }

    // struct statx of linux/stat.h: 256 bytes, the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private readonly struct StatX
    {
        [FieldOffset(28)]
        public readonly ushort Mode;

        [FieldOffset(32)]
        public readonly ulong Inode;

        [FieldOffset(40)]
        public readonly ulong Size;

        [FieldOffset(96)]
        public readonly Time Changed;

        [FieldOffset(112)]
        public readonly Time Modified;

        [FieldOffset(136)]
        public readonly uint DeviceMajor;

        [FieldOffset(140)]
        public readonly uint DeviceMinor;
    }
}
