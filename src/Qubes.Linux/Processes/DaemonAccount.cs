using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// The account without privileges that what handles guests' bytes runs as: the daemons of qubes, the services they start, clients in guests.
/// </summary>
/// <param name="User">Who it is, the group <c>qubes</c> among its groups.</param>
/// <param name="Group">The group <c>qubes</c>: who is in it reaches our sockets, so it is what access is given to.</param>
public sealed record DaemonAccount(UserAccount User, uint Group)
{
    /// <summary>Lets the group read and write a device or socket, besides its owner.</summary>
    /// <param name="path">Where nobody but root can replace it.</param>
    /// <exception cref="LinuxException">It is not there.</exception>
    public void LetUse(string path)
    {
        var permissions = FileStatus.Find(path)?.Permissions ?? UnixFileMode.None;
        Give(path, UserAccount.Unchanged, permissions | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
    }

    /// <summary>Makes a directory root's and the group's.</summary>
    /// <param name="path">Where nobody but root can replace it.</param>
    /// <exception cref="IOException">Something else is there.</exception>
    public void Share(string path, UnixFileMode mode)
    {
        Directory.CreateDirectory(path);
        if (FileStatus.Find(path) is not { IsDirectory: true } status || status.UserId != UserAccount.CurrentUserId)
            throw new IOException($"'{path}' is no directory of this user.");
        Give(path, UserAccount.CurrentUserId, mode);
    }

    private void Give(string path, uint owner, UnixFileMode mode)
    {
        if (FileCalls.Lchown(path, owner, Group) != 0)
            throw LinuxException.FromLastError("lchown", path);
        if (FileCalls.Chmod(path, (uint)mode) != 0)
            throw LinuxException.FromLastError("chmod", path);
    }
}
