using Qubes.Linux;

namespace Qubes.Lifecycle.Daemons;

/// <summary>
/// Gives the daemons' account access to what it has to make files in, and to no more. It may belong to a guest one day: where root makes or opens files by
/// name as well, nobody can take those away or put others in their place.
/// </summary>
public static class SharedDirectories
{
    private const UnixFileMode OwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    // New files get the directory's group; each can only be removed by its owner, and by root.
    private const UnixFileMode Runtime = OwnerAndGroup | UnixFileMode.SetGroup | UnixFileMode.StickyBit;

    // Services that change policy replace each other's files, as persons do. Everybody may read it.
    private const UnixFileMode Policy = OwnerAndGroup | UnixFileMode.SetGroup | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private const UnixFileMode EntryOnly =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute;

    private const UnixFileMode LogFile = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    // What services that are programs of their own write. The directory is root's: by name only root opens files there.
    private static readonly string[] ServiceLogs = ["policy-admin.log", "policy-register.log"];

    /// <summary>Can be repeated. Blocks on the disk.</summary>
    /// <exception cref="IOException">Something of somebody else's is there.</exception>
    public static void Prepare(QubesPaths paths, DaemonAccount account)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(account);
        Directory.CreateDirectory(paths.RunDirectory);
        account.Share(paths.QubesRunDirectory, Runtime);
        account.Share(paths.VchanDirectory, EntryOnly);
        account.Share(paths.RuntimePolicyDirectory, Policy);
        if (!paths.IsSystemRoot)
        {
            // On a real host these are the package's, and the administrator's.
            account.Share(paths.PolicyDirectory, Policy);
            account.Share(Path.Combine(paths.PolicyDirectory, "include"), Policy);
        }

        Directory.CreateDirectory(paths.LogDirectory);
        foreach (string name in ServiceLogs)
        {
            string path = Path.Combine(paths.LogDirectory, name);
            File.Open(path, new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, UnixCreateMode = LogFile }).Dispose();
            account.LetUse(path);
        }
    }
}
