using System.Text;
using Qubes.Admin.Documents;
using Qubes.Admin.Methods;
using Qubes.Admin.Server;
using Qubes.Linux;
using Qubes.Policy.Administration;
using Qubes.Policy.Loading;
using Qubesd.PolicyTools;
using Qubes.Protocol.Agents;

namespace Qubesd;

/// <summary>Makes what has to exist below a root before the daemon can run there. Can be repeated.</summary>
internal static class RootSetup
{
    public static void Run(QubesPaths paths)
    {
        string[] directories =
        [
            paths.StateDirectory, paths.AppVmsDirectory, paths.TemplatesDirectory, paths.KernelsDirectory, paths.BackupDirectory,
            paths.RunDirectory, paths.QubesRunDirectory, paths.VchanDirectory, paths.Under("run/qubes/policy.d"), paths.BackupProfileDirectory, paths.PolicyDirectory,
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
            string socket = method.Socket == AdminSocketKind.Misc ? paths.MiscSocket : paths.AdminSocket;
            Link(Path.Combine(paths.RpcDirectory, method.Name), Path.GetRelativePath(paths.RpcDirectory, socket));
        }

        // Whoever asks people listens there, or nobody does.
        foreach (string service in (string[])[AgentRequest.AskService, AgentRequest.NotifyService])
        {
            Link(Path.Combine(paths.RpcDirectory, service), Path.GetRelativePath(paths.RpcDirectory, paths.PolicyAgentSocket));
        }

        // Multi-call programs act by the name of the link. These judge the whole policy, which only this one can.
        string own = Environment.ProcessPath ?? "/usr/bin/qubesd";
        foreach (string service in PolicyAdministrator.Services.Append(PolicyRegisterProgram.Name))
        {
            Link(Path.Combine(paths.RpcDirectory, service), own);
        }

        string program = Path.Combine(Path.GetDirectoryName(Environment.ProcessPath) ?? "/usr/bin", "qrexec");
        IEnumerable<string> ofCalls = AdminMethods.Table.All.Where(m => m.Entry == AdminEntry.Program).Select(m => m.Name);
        foreach (string service in AdminMethods.ProgramServices.Concat(ofCalls))
        {
            Link(Path.Combine(paths.RpcDirectory, service), program);
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

    /// <summary>A service: a link to the socket, to which qrexec connects itself, or to the program that makes the call.</summary>
    private static void Link(string link, string target)
    {
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
