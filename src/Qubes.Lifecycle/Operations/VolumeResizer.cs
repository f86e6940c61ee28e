using System.Text;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Libvirt;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Lifecycle.Operations;

/// <summary>Resizes a volume: its data, then what the hypervisor shows of it, then the file system inside the running guest.</summary>
internal sealed class VolumeResizer(LifecycleContext context)
{
    // Growing a file system is quick; shrinking one is refused by the guest.
    private static readonly TimeSpan GuestTimeout = TimeSpan.FromSeconds(120);

    /// <summary>The volume itself, and the disk of the running qube.</summary>
    internal async Task ResizeAsync(QubesVM qube, string volumeName, long size)
    {
        Volume volume = context.StorageOf(qube)[volumeName];
        ResizeOutcome outcome = await volume.ResizeAsync(size);
        if (outcome != ResizeOutcome.HypervisorMustResize || context.Hypervisor.Kind == HypervisorKind.Test
            || context.ControlOf(qube).Run is not { IsAlive: true })
        {
            return;
        }

        VolumeStatus status = await volume.GetStatusAsync();
        try
        {
            await context.Hypervisor.ResizeDiskAsync(DomainKey.Of(qube), status.Path ?? "", size);
        }
        catch (Exception failure) when (failure is LibvirtException or LaneTimeoutException)
        {
            throw new QubesException(QubesErrorNames.StoragePool, $"Resize of volume {volume.Vid} failed: {failure.Message}", failure);
        }
    }

    /// <summary>The file system, by the guest itself, if it runs.</summary>
    /// <exception cref="QubesException">The guest could not; the volume has its new size nevertheless.</exception>
    internal async Task ResizeInGuestAsync(QubesVM qube, string volumeName)
    {
        if (context.Services is not { } services || !qube.IsRunning)
        {
            return;
        }

        string reason;
        try
        {
            // The bare name, without a line feed.
            CapturedProcess ended = await services.RunAsync(
                qube.Name, "qubes.ResizeDisk", "root", Encoding.ASCII.GetBytes(volumeName), GuestTimeout);
            if (ended.Exit.IsSuccess)
            {
                return;
            }

            reason = ended.ErrorText;
        }
        catch (Exception failure) when (failure is TimeoutException or LinuxException)
        {
            reason = failure.Message;
        }

        // Clients take a percent sign for a format.
        throw QubesErrors.StoragePool($"Online resize of volume {context.StorageOf(qube)[volumeName].Vid} failed "
            + $"(you need to resize filesystem manually): {reason.Replace("%", "", StringComparison.Ordinal)}");
    }
}
