namespace Qubes.Libvirt;

/// <summary>Which hypervisor to use.</summary>
public static class HypervisorUri
{
    private const string EmbeddedPrefix = "qemu:///embed";

    private static readonly string[] DaemonSockets = ["/run/libvirt/virtqemud-sock", "/run/libvirt/libvirt-sock"];

    /// <summary>The QEMU driver of the system's libvirt daemon if that runs, else the driver inside this process with its state beneath <paramref name="embeddedRoot"/>.</summary>
    public static string Default(string embeddedRoot) =>
        DaemonSockets.Any(File.Exists) ? "qemu:///system" : Embedded(embeddedRoot);

    /// <summary>The driver inside this process. One process serves one root at a time.</summary>
    public static string Embedded(string root) => $"{EmbeddedPrefix}?root={Uri.EscapeDataString(root)}";

    public static bool IsTest(string uri) => HasDriver(uri, "test");

    public static bool IsQemu(string uri) => HasDriver(uri, "qemu");

    // DRIVER[+TRANSPORT]:…
    private static bool HasDriver(string uri, string driver) =>
        uri.StartsWith(driver, StringComparison.Ordinal) && uri.Length > driver.Length && uri[driver.Length] is ':' or '+';

    /// <summary>The root directory of an embedded driver's URI; null for any other URI.</summary>
    public static string? EmbeddedRoot(string uri)
    {
        if (!uri.StartsWith(EmbeddedPrefix + "?", StringComparison.Ordinal))
            return null;
        foreach (var parameter in uri[(EmbeddedPrefix.Length + 1)..].Split('&'))
        {
            if (parameter.StartsWith("root=", StringComparison.Ordinal))
                return Uri.UnescapeDataString(parameter["root=".Length..]);
        }

        return null;
    }
}
