using System.Text;
using Qubes.Linux;

namespace Qubes.Libvirt;

/// <summary>libvirt's QEMU driver inside this process, with all its files beneath one root directory.</summary>
/// <remarks>
/// Guests are children that outlive the process; the next one that opens the same root finds them again and takes them over
/// in the background of the opening. The driver locks its root: a second process is refused.
/// </remarks>
public static class EmbeddedDriver
{
    private const UnixFileMode DirectoryMode = (UnixFileMode)0x1ED; // 0755: QEMU runs as another user and must pass through
    private const UnixFileMode FileMode = (UnixFileMode)0x1A4; // 0644

    // The account that Debian reserves for guests, libvirt-qemu. As a number: so the files' owner is the same on all hosts.
    private const string GuestAccount = "+64055";
    private const string GuestAccountName = "libvirt-qemu";

    // QEMU opens /dev/kvm with this group.
    private const string KvmGroup = "kvm";

    private const UnixFileMode OpenToOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    // Search permission for others.
    private const UnixFileMode Passable = UnixFileMode.OtherExecute;

    // The helpers of a full libvirt installation (virtlogd, cgroup delegation, mount namespaces) belong to its daemon.
    private const string Configuration =
        """
        # Written by qubesd at each start.
        stdio_handler = "file"
        security_driver = "none"
        namespaces = []
        cgroup_controllers = []
        remember_owner = 0

        """;

    /// <summary>Writes the driver's configuration and directs its log. Must run before the first connection of the process.</summary>
    /// <param name="root">The driver's root directory; created if absent.</param>
    /// <param name="logFile">Where libvirt's own warnings and errors go.</param>
    public static void Prepare(string root, string logFile)
    {
        var configuration = Path.Combine(root, "etc");
        Directory.CreateDirectory(root, DirectoryMode);
        Directory.CreateDirectory(configuration, DirectoryMode);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(logFile))!, DirectoryMode);
        AtomicFile.Write(Path.Combine(configuration, "qemu.conf"), Encoding.ASCII.GetBytes(Configuration + Accounts(root)), FileMode);
        NativeEnvironment.Set("LIBVIRT_LOG_OUTPUTS", "3:file:" + logFile);
    }

    /// <summary>
    /// What of the host keeps guests from starting, or from starting in good time: sentences for a log. Full installations have
    /// nothing of that.
    /// </summary>
    /// <param name="account">The account that libvirt looks up.</param>
    /// <param name="kvm">The device of KVM.</param>
    public static IEnumerable<string> FindObstacles(string account = GuestAccountName, string kvm = "/dev/kvm")
    {
        if (UserAccount.Find(account) is null)
        {
            yield return $"There is no account {account} in /etc/passwd: libvirt does not open its QEMU driver without it";
        }

        if (File.Exists(kvm) && (File.GetUnixFileMode(kvm) & OpenToOthers) == UnixFileMode.None)
        {
            yield return $"Only root can open {kvm}, and guests do not run as root: libvirt then asks QEMU anew at each start what it can do, "
                + $"which takes minutes. Give the group {KvmGroup} access";
        }
    }

    /// <summary>
    /// QEMU parses what guests send, so it does not run as root, unless the root lies where another user cannot get to its disks
    /// (a scratch root in a private home).
    /// </summary>
    private static string Accounts(string root)
    {
        for (string? directory = Path.GetFullPath(root); directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (!File.GetUnixFileMode(directory).HasFlag(Passable))
            {
                return "user = \"root\"\ngroup = \"root\"\n";
            }
        }

        string group = GroupDatabase.FindId(KvmGroup) is null ? GuestAccount : KvmGroup;
        return $"user = \"{GuestAccount}\"\ngroup = \"{group}\"\n";
    }
}
