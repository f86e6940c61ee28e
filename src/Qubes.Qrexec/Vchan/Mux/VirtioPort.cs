using Qubes.Linux;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>Finds the guest's virtio-serial port that carries the link.</summary>
public static class VirtioPort
{
    /// <summary>The name the host gives the port.</summary>
    public const string Name = "org.qubes-os.vchan.0";

    private const string LinkPath = "/dev/virtio-ports/" + Name;
    private const string ClassDirectory = "/sys/class/virtio-ports";

    /// <summary>The device, or null when the machine has none. Systems without udev have no named links; the kernel's own list is searched then.</summary>
    public static string? FindDevice()
    {
        if (File.Exists(LinkPath))
        {
            return LinkPath;
        }

        if (!Directory.Exists(ClassDirectory))
        {
            return null;
        }

        foreach (string port in Directory.EnumerateFileSystemEntries(ClassDirectory))
        {
            string nameFile = Path.Combine(port, "name");
            if (File.Exists(nameFile) && File.ReadAllText(nameFile).Trim() == Name)
            {
                return Path.Combine("/dev", Path.GetFileName(port));
            }
        }

        return null;
    }

    /// <summary>Opens the port, to be run by a <see cref="MuxLink"/>.</summary>
    /// <exception cref="VchanException">There is none, or it is in use.</exception>
    public static Stream Open()
    {
        string device = FindDevice() ?? throw new VchanException($"this machine has no virtio-serial port {Name}");
        try
        {
            return DeviceStream.Open(device);
        }
        catch (LinuxException e)
        {
            throw new VchanException($"{device} can not be opened: {e.Message}", e);
        }
    }
}
