using System.Text;
using Qubes.Admin.Documents;
using Qubes.Admin.Methods;
using Qubes.Linux;
using Qubes.Policy.Loading;

namespace Qubesd;

/// <summary>Makes what has to exist below a root before the daemon can run there. Can be repeated.</summary>
internal static class RootSetup
{
    public static void Run(QubesPaths paths)
    {
        string[] directories =
        [
            paths.StateDirectory, paths.AppVmsDirectory, paths.TemplatesDirectory, paths.KernelsDirectory, paths.BackupDirectory,
            paths.RunDirectory, paths.QubesRunDirectory, paths.VchanDirectory, paths.PolicyDirectory,
            Path.Combine(paths.PolicyDirectory, "include"), paths.ExtensionsDirectory, paths.RpcDirectory, paths.LogDirectory,
        ];
        foreach (string directory in directories)
        {
            Directory.CreateDirectory(directory);
        }

        WritePolicy(paths, PolicyDocuments.DefaultFile, Encoding.UTF8.GetBytes(PolicyDocuments.WriteDefault(AdminMethods.Table)));
        foreach (string name in DefaultPolicy.Names)
        {
            WritePolicy(paths, name, DefaultPolicy.Read(name));
        }

        foreach (AdminMethod method in AdminMethods.Table.All.Where(m => m.Entry == AdminEntry.Link))
        {
            Link(paths, method);
        }
    }

    private static void WritePolicy(QubesPaths paths, string name, byte[] content)
    {
        string path = Path.Combine(paths.PolicyDirectory, name);

        // The include files are the administrator's; the others are made anew with each version.
        bool isAdministrators = name.StartsWith("include/", StringComparison.Ordinal);
        if (File.Exists(path) && (isAdministrators || File.ReadAllBytes(path).AsSpan().SequenceEqual(content)))
        {
            return;
        }

        AtomicFile.Write(path, content, PolicyFileMode);
    }

    private static UnixFileMode PolicyFileMode =>
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead;

    /// <summary>A service that is a link to the socket: qrexec connects to it itself.</summary>
    private static void Link(QubesPaths paths, AdminMethod method)
    {
        string link = Path.Combine(paths.RpcDirectory, method.Name);
        string socket = method.Socket == Qubes.Admin.Server.AdminSocketKind.Misc ? paths.MiscSocket : paths.AdminSocket;
        string target = Path.GetRelativePath(paths.RpcDirectory, socket);
        FileInfo existing = new(link);
        if (existing.LinkTarget == target)
        {
            return;
        }

        // A file of that name is somebody's own service, and theirs to remove.
        if (existing.LinkTarget is not null)
        {
            existing.Delete();
        }
        else if (existing.Exists)
        {
            return;
        }

        File.CreateSymbolicLink(link, target);
    }
}
