using System.Text;
using Qubes.Libvirt;
using Qubes.Lifecycle.DomainXml;
using Qubes.Lifecycle.Hypervisors;

namespace Qubes.Lifecycle.Tests;

/// <summary>Disks that come to and leave a real guest, emulated where there is no KVM.</summary>
public sealed class PluggedDiskTests
{
    private const string BusyBox = "/bin/busybox";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_disk_is_plugged_into_a_running_guest_and_released_by_it()
    {
        string? kernel = FindKernel();
        Assert.SkipUnless(File.Exists("/usr/bin/qemu-system-x86_64"), "QEMU is not installed");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "The embedded driver needs root");
        Assert.SkipUnless(kernel is not null && File.Exists(BusyBox), "There is no kernel and busybox for a guest");
        string root = Directory.CreateTempSubdirectory("qubes-plug-").FullName;
        try
        {
            File.SetUnixFileMode(root, (UnixFileMode)0x1ED /* 0755: QEMU is another user */);
            string console = Path.Combine(root, "console.log");
            await File.WriteAllBytesAsync(Path.Combine(root, "initramfs"), Initramfs(), TestContext.Current.CancellationToken);
            string image = Path.Combine(root, "disk.img");
            await using (FileStream disk = File.Create(image))
            {
                disk.SetLength(1 << 20);
            }

            DomainSpec spec = new()
            {
                Kind = DomainKind.Emulated, Name = "plugged", Uuid = Guid.NewGuid(), MemoryMiB = 128, VCpus = 1,
                KernelPath = kernel, InitrdPath = Path.Combine(root, "initramfs"), CommandLine = "console=ttyS0 quiet", ConsoleLogPath = console,
            };
            string driver = Path.Combine(root, "libvirt");
            EmbeddedDriver.Prepare(driver, Path.Combine(root, "libvirt.log"));
            await using LibvirtSession session = await LibvirtSession.OpenAsync(HypervisorUri.Embedded(driver));
            LibvirtHypervisor hypervisor = new(session);
            DomainKey domain = new(spec.Name, spec.Uuid);
            try
            {
                await hypervisor.LaunchAsync(spec);
                await hypervisor.ResumeAsync(domain);
                await WaitForAsync(console, "guest is up");
                DomainDisk plugged = new("vdi", image, "raw", IsFile: true, IsReadOnly: true, "xvdi");
                await hypervisor.AttachDiskAsync(domain, plugged);
                await WaitForAsync(console, "device came");
                Assert.Equal([plugged], await hypervisor.GetDisksAsync(domain));

                Assert.True(await hypervisor.DetachDiskAsync(domain, plugged));
                Assert.Empty(await hypervisor.GetDisksAsync(domain));
                await WaitForAsync(console, "device went");

                for (int i = 0; i < DomainXmlWriter.FreePorts; i++)
                {
                    await hypervisor.AttachDiskAsync(domain, plugged with { Target = $"vd{(char)('a' + i)}", Serial = $"xvd{(char)('a' + i)}" });
                }
            }
            finally
            {
                await hypervisor.DestroyAsync(domain);
                await hypervisor.ForgetAsync(domain);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>That of the guest image, where one was built, else one of the host's.</summary>
    private static string? FindKernel()
    {
        for (string? directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            string built = Path.Combine(directory, "artifacts/templates/minimal/kernel/vmlinuz");
            if (File.Exists(built))
            {
                return built;
            }
        }

        return Directory.Exists("/boot") ? Directory.GetFiles("/boot", "vmlinuz-*").Order(StringComparer.Ordinal).LastOrDefault() : null;
    }

    /// <summary>A guest that says what becomes of the PCI devices of class "SCSI storage", which virtio disks are.</summary>
    private static byte[] Initramfs()
    {
        const string init = """
            #!/busybox sh
            /busybox mount -t sysfs sysfs /sys
            /busybox mount -t devtmpfs devtmpfs /dev
            count() { /busybox grep -l 0x010000 /sys/bus/pci/devices/*/class 2>/dev/null | /busybox wc -l; }
            exec >/dev/ttyS0
            echo guest is up
            while [ "$(count)" = 0 ]; do /busybox usleep 100000; done
            echo device came
            while [ "$(count)" != 0 ]; do /busybox usleep 100000; done
            echo device went
            while :; do /busybox sleep 1000; done
            """;
        return new CpioArchive().AddDirectory("sys").AddDirectory("dev")
            .AddProgram("busybox", File.ReadAllBytes(BusyBox))
            .AddProgram("init", Encoding.ASCII.GetBytes(init))
            .Finish();
    }

    /// <summary>Reads the console as it grows.</summary>
    private static async Task WaitForAsync(string console, string text)
    {
        using PeriodicTimer look = new(TimeSpan.FromMilliseconds(50));
        using CancellationTokenSource patience = new(Patience);
        while (!File.Exists(console) || !(await File.ReadAllTextAsync(console, patience.Token)).Contains(text, StringComparison.Ordinal))
        {
            await look.WaitForNextTickAsync(patience.Token);
        }
    }
}
