using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Devices;
using Qubes.Lifecycle.DomainXml;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Lifecycle.Boot;

/// <summary>From a qube of the model to the domain that is launched for it.</summary>
internal sealed class DomainSpecs(LifecycleContext context, KvmProbe kvm)
{
    /// <summary>Called when the qube's volumes are started: their devices exist.</summary>
    /// <exception cref="QubesException">Its kernel is not there, or its settings make no domain.</exception>
    internal async Task<DomainSpec> BuildAsync(QubesVM qube, QubeStorage storage)
    {
        DomainSpec spec = new()
        {
            Kind = DomainKind.Test,
            Name = qube.Name,
            Uuid = qube.Uuid.Value,
            MemoryMiB = qube.Memory,
            VCpus = qube.VCpus,
        };
        if (context.Hypervisor.Kind == HypervisorKind.Test)
        {
            _ = RequiredDevices.Collect(qube, []);
            return spec;
        }

        (DomainDisk[] disks, KernelFiles? kernel, string? options) = await Task.Run(() => ReadDisk(storage));
        DomainDevices devices = RequiredDevices.Collect(qube, disks);
        spec = spec with
        {
            Kind = await kvm.IsUsableAsync(kernel?.Kernel) ? DomainKind.Kvm : DomainKind.Emulated,
            Disks = [.. disks, .. devices.Disks],
            HostDevices = devices.HostDevices,
            ChannelPath = context.Paths.VchanPortSocket(qube.Name),
            ConsoleLogPath = context.Paths.GuestConsoleLog(qube.Name),
        };
        if (kernel is not null)
        {
            return spec with { KernelPath = kernel.Kernel, InitrdPath = kernel.Initramfs, CommandLine = KernelCommandLine.Of(qube, options) };
        }

        return qube.VirtMode == "hvm"
            ? spec
            : throw QubesErrors.General($"Qube '{qube.Name}' has no kernel: set property 'kernel', or 'virt_mode' to 'hvm'");
    }

    /// <summary>What only the disk knows.</summary>
    private static (DomainDisk[] Disks, KernelFiles? Kernel, string? Options) ReadDisk(QubeStorage storage)
    {
        DomainDisk[] disks =
        [
            .. BlockDevice.AssignTargets(storage.BlockDevices).Select(assigned => new DomainDisk(
                // Clients know Xen's names of disks; on the virtio bus the same letters follow "vd".
                "vd" + assigned.Target["xvd".Length..],
                assigned.Device.Path,
                assigned.Device.Format == DiskFormat.Qcow2 ? "qcow2" : "raw",
                assigned.Device.IsFile,
                !assigned.Device.IsReadWrite,
                assigned.Device.Name)),
        ];
        KernelFiles? kernel = storage.Kernel;
        return (disks, kernel, kernel is null ? null : KernelOptionsFile.Read(kernel.Directory));
    }
}
