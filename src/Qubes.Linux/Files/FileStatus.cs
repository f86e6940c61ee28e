using System.Runtime.InteropServices;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>What the kernel knows about a file, the link itself if it is one.</summary>
/// <param name="Links">Names the file has.</param>
/// <param name="Inode">With <paramref name="DeviceMajor"/> and <paramref name="DeviceMinor"/> the file's identity.</param>
/// <param name="Size">Bytes.</param>
/// <param name="AllocatedSize">Bytes on disk; less than <paramref name="Size"/> for sparse files.</param>
public readonly record struct FileStatus(
    uint Mode, uint Links, uint UserId, uint GroupId, ulong Inode, uint DeviceMajor, uint DeviceMinor, ulong Size, ulong AllocatedSize)
{
    private const uint TypeMask = 0xF000;

    public bool IsSocket => (Mode & TypeMask) == 0xC000;

    public bool IsSymbolicLink => (Mode & TypeMask) == 0xA000;

    public bool IsRegularFile => (Mode & TypeMask) == 0x8000;

    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    /// <summary>A regular file of the user we act as, not one that somebody else has put where we look for ours.</summary>
    public bool IsOwnRegularFile => IsRegularFile && UserId == UserAccount.CurrentUserId;

    public UnixFileMode Permissions => (UnixFileMode)(Mode & 0xFFF);

    /// <summary>True when both describe the same file.</summary>
    public bool IsSameFileAs(FileStatus other) =>
        Inode == other.Inode && DeviceMajor == other.DeviceMajor && DeviceMinor == other.DeviceMinor;

    /// <summary>Null when nothing is there.</summary>
    /// <exception cref="LinuxException">Anything but absence.</exception>
    public static FileStatus? Find(string path) => Find(path, FileCalls.AT_SYMLINK_NOFOLLOW, aFileOnTheWayIsAbsence: true);

    /// <summary>Null only when a name is missing; a file where a directory should be is an error.</summary>
    /// <param name="followLink">Describe what a symbolic link leads to instead of the link.</param>
    /// <exception cref="LinuxException">Anything but absence.</exception>
    public static FileStatus? FindStrictly(string path, bool followLink) =>
        Find(path, followLink ? 0 : FileCalls.AT_SYMLINK_NOFOLLOW, aFileOnTheWayIsAbsence: false);

    /// <summary>Whether this process, with its effective ids, may execute the file. False as well when it is not there.</summary>
    public static bool IsExecutable(string path) =>
        FileCalls.Faccessat(FileCalls.AT_FDCWD, path, FileCalls.X_OK, FileCalls.AT_EACCESS) == 0;

    private static unsafe FileStatus? Find(string path, int flags, bool aFileOnTheWayIsAbsence)
    {
        // struct statx (256 bytes): nlink u32 @16, uid u32 @20, gid u32 @24, mode u16 @28, ino u64 @32, size u64 @40,
        // blocks u64 @48 (512 bytes each), dev_major u32 @136, dev_minor u32 @140
        byte* status = stackalloc byte[FileCalls.StatxSize];
        if (FileCalls.Statx(FileCalls.AT_FDCWD, path, flags, FileCalls.STATX_BASIC_STATS, status) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            return errno == Errno.ENOENT || (errno == Errno.ENOTDIR && aFileOnTheWayIsAbsence)
                ? null
                : throw LinuxException.FromLastError("statx", path);
        }

        return new FileStatus(*(ushort*)(status + 28), *(uint*)(status + 16), *(uint*)(status + 20), *(uint*)(status + 24), *(ulong*)(status + 32),
            *(uint*)(status + 136), *(uint*)(status + 140), *(ulong*)(status + 40), *(ulong*)(status + 48) * 512);
    }
}
