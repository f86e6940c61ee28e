using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// An open directory and what is beneath it, named by relative paths. No name leads out of it: every look-up is done by
/// openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS, so neither <c>..</c> nor a planted link can point elsewhere.
/// Calls block on the disk. Thread-safe.
/// </summary>
public sealed class RootedDirectory : IDisposable
{
    private const uint OwnerReadWrite = 0x180; // 0600
    private readonly SafeFileHandle _handle;

    private RootedDirectory(string path, SafeFileHandle handle)
    {
        FullPath = path;
        _handle = handle;
    }

    /// <summary>The absolute path it was opened by, for programs that need a name.</summary>
    public string FullPath { get; }

    /// <summary>Opens an existing directory; links on the way to it are followed, it is the administrator's choice.</summary>
    /// <exception cref="LinuxException">It is missing or no directory.</exception>
    public static RootedDirectory Open(string path)
    {
        string full = Path.GetFullPath(path);
        SafeFileHandle handle = FileCalls.Open(full, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY | FileCalls.O_CLOEXEC, 0);
        if (handle.IsInvalid)
        {
            throw LinuxException.FromLastError("open", full);
        }

        return new RootedDirectory(full, handle);
    }

    /// <summary>The absolute path of an entry, for programs that need a name.</summary>
    public string PathOf(string relativePath) => Path.Combine(FullPath, relativePath);

    /// <summary>What is known of an entry; null when a name on the way is missing.</summary>
    public unsafe EntryStatus? Find(string relativePath)
    {
        using Located? located = TryLocate(relativePath);
        if (located is null)
        {
            return null;
        }

        byte* status = stackalloc byte[FileCalls.StatxSize];
        if (DirectoryCalls.Statx(located.Directory, located.Name, FileCalls.AT_SYMLINK_NOFOLLOW, FileCalls.STATX_BASIC_STATS, status) != 0)
        {
            return Marshal.GetLastPInvokeError() == Errno.ENOENT ? null : throw LinuxException.FromLastError("statx", relativePath);
        }

        return Decode(status);
    }

    public bool Exists(string relativePath) => Find(relativePath) is not null;

    /// <summary>Opens an existing file for reading.</summary>
    public SafeFileHandle OpenRead(string relativePath) => OpenBeneath(relativePath, FileCalls.O_RDONLY);

    /// <summary>Opens an existing file for reading and writing.</summary>
    public SafeFileHandle OpenWrite(string relativePath) => OpenBeneath(relativePath, FileCalls.O_RDWR);

    /// <summary>Makes a new file, mode 0600, for reading and writing. The name must be free.</summary>
    public SafeFileHandle Create(string relativePath)
    {
        SafeFileHandle file = OpenBeneath(relativePath, FileCalls.O_RDWR | FileCalls.O_CREAT | FileCalls.O_EXCL);
        // The mode given at creation is cut by the umask.
        if (FileCalls.Fchmod(file, OwnerReadWrite) != 0)
        {
            file.Dispose();
            throw LinuxException.FromLastError("fchmod", relativePath);
        }

        return file;
    }

    /// <summary>Sets the group and mode of an existing file.</summary>
    public void SetAccess(string relativePath, uint groupId, UnixFileMode mode)
    {
        using SafeFileHandle file = OpenWrite(relativePath);
        if (FileCalls.Fchown(file, UserAccount.Unchanged, groupId) != 0)
        {
            throw LinuxException.FromLastError("fchown", relativePath);
        }

        if (FileCalls.Fchmod(file, (uint)mode) != 0)
        {
            throw LinuxException.FromLastError("fchmod", relativePath);
        }
    }

    /// <summary>Makes a directory. Returns false when it was there already.</summary>
    public bool CreateDirectory(string relativePath, UnixFileMode mode)
    {
        using Located located = Locate(relativePath);
        if (DirectoryCalls.MkdirAt(located.Directory, located.Name, 0x1C0) != 0)
        {
            if (Marshal.GetLastPInvokeError() == Errno.EEXIST && Find(relativePath) is { IsDirectory: true })
            {
                return false;
            }

            throw LinuxException.FromLastError("mkdirat", relativePath);
        }

        using SafeFileHandle made = OpenBeneath(relativePath, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY);
        if (FileCalls.Fchmod(made, (uint)mode) != 0)
        {
            throw LinuxException.FromLastError("fchmod", relativePath);
        }

        SyncHandle(located.Directory, relativePath);
        return true;
    }

    /// <summary>Removes an empty directory. Returns false when it is missing or has entries.</summary>
    public bool RemoveEmptyDirectory(string relativePath)
    {
        using Located? located = TryLocate(relativePath);
        if (located is null)
        {
            return false;
        }

        if (DirectoryCalls.UnlinkAt(located.Directory, located.Name, DirectoryCalls.AT_REMOVEDIR) != 0)
        {
            return Marshal.GetLastPInvokeError() is Errno.ENOENT or Errno.ENOTEMPTY or Errno.EEXIST
                ? false
                : throw LinuxException.FromLastError("rmdir", relativePath);
        }

        SyncHandle(located.Directory, relativePath);
        return true;
    }

    /// <summary>Renames a file over whatever has the new name, and makes it durable.</summary>
    public void Rename(string from, string to)
    {
        using Located source = Locate(from);
        using Located target = Locate(to);
        if (DirectoryCalls.RenameAt2(source.Directory, source.Name, target.Directory, target.Name, 0) != 0)
        {
            throw LinuxException.FromLastError("rename", from);
        }

        SyncHandle(target.Directory, to);
        if (!string.Equals(source.Parent, target.Parent, StringComparison.Ordinal))
        {
            SyncHandle(source.Directory, from);
        }
    }

    /// <summary>Gives a file a second name, which must be free. Not made durable by itself.</summary>
    public void Link(string existing, string newName)
    {
        using Located source = Locate(existing);
        using Located target = Locate(newName);
        if (DirectoryCalls.LinkAt(source.Directory, source.Name, target.Directory, target.Name, 0) != 0)
        {
            throw LinuxException.FromLastError("linkat", existing);
        }
    }

    /// <summary>Removes a file. Returns false when there was none. Durable only after <see cref="SyncDirectoryOf"/>.</summary>
    public bool Remove(string relativePath)
    {
        using Located? located = TryLocate(relativePath);
        if (located is null)
        {
            return false;
        }

        if (DirectoryCalls.UnlinkAt(located.Directory, located.Name, 0) != 0)
        {
            return Marshal.GetLastPInvokeError() == Errno.ENOENT ? false : throw LinuxException.FromLastError("unlink", relativePath);
        }

        return true;
    }

    /// <summary>Names in a directory, <c>.</c> and <c>..</c> left out; empty when it is missing.</summary>
    public IReadOnlyList<string> List(string relativePath)
    {
        SafeFileHandle directory;
        try
        {
            directory = relativePath.Length == 0 ? _handle : OpenBeneath(relativePath, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            return [];
        }

        try
        {
            // The descriptor names exactly what was opened, whatever happens to the path meanwhile.
            var entries = new DirectoryInfo($"/proc/self/fd/{directory.DangerousGetHandle()}/").EnumerateFileSystemInfos();
            return [.. entries.Select(entry => entry.Name)];
        }
        finally
        {
            if (directory != _handle)
            {
                directory.Dispose();
            }
        }
    }

    /// <summary>Makes creations, links and removals in the directory that holds <paramref name="relativePath"/> durable.</summary>
    public void SyncDirectoryOf(string relativePath)
    {
        using Located? located = TryLocate(relativePath);
        if (located is not null)
        {
            SyncHandle(located.Directory, relativePath);
        }
    }

    public unsafe FileSystemStatus FileSystem()
    {
        // struct statfs: type i64 @0, bsize i64 @8, blocks u64 @16, bfree u64 @24, …, frsize i64 @72
        byte* status = stackalloc byte[120];
        if (DirectoryCalls.Fstatfs(_handle, status) != 0)
        {
            throw LinuxException.FromLastError("fstatfs", FullPath);
        }

        long block = *(long*)(status + 72) is > 0 and var fragment ? fragment : *(long*)(status + 8);
        long blocks = *(long*)(status + 16);
        return new FileSystemStatus(block * blocks, block * (blocks - *(long*)(status + 24)));
    }

    public void Dispose() => _handle.Dispose();

    private static unsafe EntryStatus Decode(byte* status)
    {
        // struct statx: nlink u32 @16, mode u16 @28, ino u64 @32, size u64 @40, blocks u64 @48 (512 bytes each),
        // mtime { i64 seconds @112; u32 nanoseconds @120 }, dev_major u32 @136, dev_minor u32 @140
        return new EntryStatus(
            *(ushort*)(status + 28),
            ((ulong)*(uint*)(status + 136) << 32) | *(uint*)(status + 140),
            *(ulong*)(status + 32),
            *(uint*)(status + 16),
            *(long*)(status + 40),
            *(long*)(status + 48) * 512,
            (*(long*)(status + 112) * 1_000_000_000) + *(uint*)(status + 120));
    }

    private static void SyncHandle(SafeFileHandle directory, string subject)
    {
        if (FileCalls.Fsync(directory) != 0)
        {
            throw LinuxException.FromLastError("fsync", subject);
        }
    }

    private unsafe SafeFileHandle OpenBeneath(string relativePath, int flags)
    {
        var how = new DirectoryCalls.OpenHow
        {
            Flags = (uint)(flags | FileCalls.O_CLOEXEC | FileCalls.O_NOFOLLOW),
            Mode = (flags & FileCalls.O_CREAT) != 0 ? OwnerReadWrite : 0,
            Resolve = DirectoryCalls.RESOLVE_BENEATH | DirectoryCalls.RESOLVE_NO_SYMLINKS | DirectoryCalls.RESOLVE_NO_MAGICLINKS,
        };
        bool added = false;
        try
        {
            _handle.DangerousAddRef(ref added);
            nint fd;
            do
            {
                fd = DirectoryCalls.OpenAt2(
                    (nint)DirectoryCalls.SYS_openat2, _handle.DangerousGetHandle(), relativePath, &how, (nuint)sizeof(DirectoryCalls.OpenHow));
            }
            while (fd < 0 && Marshal.GetLastPInvokeError() is Errno.EINTR or Errno.EAGAIN);

            return fd < 0 ? throw LinuxException.FromLastError("openat2", relativePath) : new SafeFileHandle(fd, ownsHandle: true);
        }
        finally
        {
            if (added)
            {
                _handle.DangerousRelease();
            }
        }
    }

    private Located Locate(string relativePath)
    {
        int slash = relativePath.LastIndexOf('/');
        string parent = slash < 0 ? "." : relativePath[..slash];
        string name = relativePath[(slash + 1)..];
        if (name is "" or "." or "..")
        {
            throw new LinuxException("openat2", Errno.EINVAL, relativePath);
        }

        return new Located(OpenBeneath(parent, FileCalls.O_RDONLY | FileCalls.O_DIRECTORY), parent, name);
    }

    private Located? TryLocate(string relativePath)
    {
        try
        {
            return Locate(relativePath);
        }
        catch (LinuxException e) when (e.Errno is Errno.ENOENT)
        {
            return null;
        }
    }

    /// <summary>An open parent directory and the last component of a path.</summary>
    private sealed class Located(SafeFileHandle directory, string parent, string name) : IDisposable
    {
        public SafeFileHandle Directory { get; } = directory;

        public string Parent { get; } = parent;

        public string Name { get; } = name;

        public void Dispose() => Directory.Dispose();
    }
}
