namespace Qubes.Linux;

/// <summary>
/// Every path of the system, beneath one root prefix. Two instances with different roots share no file.
/// </summary>
public sealed class QubesPaths
{
    /// <summary>The environment variable that names the root for programs that get no <c>--root</c>.</summary>
    public const string RootVariable = "QUBES_ROOT";

    /// <param name="root">Prefix of all paths; made absolute. Default: environment <c>QUBES_ROOT</c>, else <c>/</c>.</param>
    public QubesPaths(string? root = null)
    {
        root ??= Environment.GetEnvironmentVariable(RootVariable);
        Root = string.IsNullOrEmpty(root) ? "/" : Path.GetFullPath(root);
        if (Root.Length > 1)
            Root = Root.TrimEnd('/');
        ServiceDirectories = [RuntimeRpcDirectory, Under("usr/local/etc/qubes-rpc"), RpcDirectory];
        ServiceConfigurationDirectories =
            [Under("run/qubes/rpc-config"), Under("usr/local/etc/qubes/rpc-config"), Under("etc/qubes/rpc-config")];
    }

    /// <summary>Absolute, without a trailing slash (except <c>/</c> itself).</summary>
    public string Root { get; }

    public bool IsSystemRoot => Root == "/";

    // State
    public string StateDirectory => Under("var/lib/qubes");
    public string StoreFile => Under("var/lib/qubes/qubes.xml");
    public string AppVmsDirectory => Under("var/lib/qubes/appvms");
    public string TemplatesDirectory => Under("var/lib/qubes/vm-templates");
    public string KernelsDirectory => Under("var/lib/qubes/vm-kernels");
    public string BackupDirectory => Under("var/lib/qubes/backup");

    // Sockets of the daemon
    public string RunDirectory => Under("run");
    public string QubesRunDirectory => Under("run/qubes");
    public string AdminSocket => Under("run/qubesd.sock");
    public string InternalSocket => Under("run/qubesd.internal.sock");
    public string MiscSocket => Under("run/qubesd.misc.sock");
    public string PolicySocket => Under("run/qubes/policy.sock");

    // Sockets of the program that asks people
    public string PolicyAgentSocket => Under("run/qubes/policy-agent.sock");
    public string DeviceAgentSocket => Under("run/qubes/device-agent.GUI");

    /// <summary>Where hypervisors listen for guests' links: root's alone, unlike the directory it lies in.</summary>
    public string VchanDirectory => Under("run/qubes/vchan");

    // Configuration
    public string ConfigurationDirectory => Under("etc/qubes");
    public string BackupProfileDirectory => Under("etc/qubes/backup");
    public string PolicyDirectory => Under("etc/qubes/policy.d");
    public string ExtensionsDirectory => Under("etc/qubes/extensions.d");
    public string RpcDirectory => Under("etc/qubes-rpc");

    // What services and policy are until the next boot; looked at before the ones above
    public string RuntimePolicyDirectory => Under("run/qubes/policy.d");
    public string RuntimeRpcDirectory => Under("run/qubes-rpc");

    // Logs
    public string LogDirectory => Under("var/log/qubes");

    public string AuditDirectory => Under("var/log/qubes/audit");

    /// <summary>Where RPC services are looked for, in search order.</summary>
    public IReadOnlyList<string> ServiceDirectories { get; }

    /// <summary>Where configurations of RPC services are looked for, in search order.</summary>
    public IReadOnlyList<string> ServiceConfigurationDirectories { get; }

    /// <summary><paramref name="relativePath"/> beneath the root.</summary>
    public string Under(string relativePath) => Path.Combine(Root, relativePath);

    /// <summary>The local socket of a qube's qrexec daemon; <paramref name="name"/> is a qube name or a domain id.</summary>
    public string QrexecSocket(string name) => Path.Combine(QubesRunDirectory, "qrexec." + name);

    /// <summary>The host end of a qube's virtio-serial port; the hypervisor listens there.</summary>
    public string VchanPortSocket(string qubeName) => Path.Combine(VchanDirectory, qubeName + ".sock");

    /// <summary>
    /// Where host programs open vchan streams to the qube; its qrexec daemon listens there. <paramref name="name"/> is a qube name or a domain id.
    /// </summary>
    public string VchanBrokerSocket(string name) => Path.Combine(QubesRunDirectory, $"vchan.{name}.broker");

    /// <summary>Where a qube's QubesDB is read and written; its QubesDB daemon listens there.</summary>
    public string QubesDbSocket(string qubeName) => Path.Combine(QubesRunDirectory, $"qubesdb.{qubeName}.sock");

    /// <summary>Where it is only read.</summary>
    public string QubesDbReadOnlySocket(string qubeName) => Path.Combine(QubesRunDirectory, $"qubesdb.{qubeName}.ro.sock");

    public string QubesDbPidFile(string qubeName) => Path.Combine(QubesRunDirectory, $"qubesdb.{qubeName}.pid");

    /// <summary>The own QubesDB, in a qube or of the host.</summary>
    public string LocalQubesDbSocket => Under("run/qubes/qubesdb.sock");

    /// <inheritdoc cref="LocalQubesDbSocket"/>
    public string LocalQubesDbReadOnlySocket => Under("run/qubes/qubesdb.ro.sock");

    public string QubesDbLog(string qubeName) => Path.Combine(LogDirectory, $"qubesdb.{qubeName}.log");

    public string QrexecLog(string qubeName) => Path.Combine(LogDirectory, $"qrexec.{qubeName}.log");

    public string GuestConsoleLog(string qubeName) => Path.Combine(LogDirectory, $"guest-{qubeName}.log");

    public string KernelDirectory(string kernel) => Path.Combine(KernelsDirectory, kernel);
}
