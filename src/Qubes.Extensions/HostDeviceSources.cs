using Microsoft.Extensions.Logging;
using Qubes.Extensions.Block;
using Qubes.Extensions.Mic;
using Qubes.Extensions.Pci;
using Qubes.Extensions.Usb;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
using Qubes.Model;

namespace Qubes.Extensions;

/// <summary>The device classes that are part of the daemon. Made on the model loop before the model's loading is finished.</summary>
public sealed class HostDeviceSources
{
    private readonly QubesApp _app;
    private readonly BlockSource _block;
    private readonly MicSource _mic;
    private readonly PciSource _pci;
    private readonly UsbSource _usb;

    private HostDeviceSources(QubesApp app, BlockSource block, UsbSource usb)
    {
        _app = app;
        _block = block;
        _usb = usb;
        _mic = new MicSource(app);
        _pci = new PciSource(app);
    }

    /// <param name="app">Whose qubes.</param>
    /// <param name="hypervisor">Gives disks to qubes.</param>
    /// <param name="paths">Where the system is.</param>
    /// <param name="services">Calls services in qubes; null where there is no qrexec.</param>
    /// <param name="log">What failed without a caller.</param>
    public static HostDeviceSources Register(QubesApp app, IHypervisor hypervisor, QubesPaths paths, GuestServices? services, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(paths);
        HostBlockDevices host = new("/sys", "/proc", paths.StateDirectory);
        UsbServices? usbServices = services is null ? null : new UsbServices(services, new TemporaryPolicy(paths.RuntimePolicyDirectory));
        HostDeviceSources sources = new(
            app, new BlockSource(app, hypervisor, host.Scan, log), new UsbSource(app, new HostUsbDevices("/sys").Scan, usbServices, log));
        app.Devices.Failed = (what, failure) => log.LogError(failure, "{What}", LogText.Escape(what));
        sources._block.Register();
        sources._mic.Register();
        sources._pci.Register();
        sources._usb.Register();
        return sources;
    }

    /// <summary>When running qubes were taken over: learns what is there, and who has it.</summary>
    public async Task AdoptAsync()
    {
        string backend = _app.Domains.AdminVM.Name;
        _pci.BeginLoading(() => new HostPciDevices("/sys", backend).Scan(HardwareNames.Load("pci.ids")));

        // Block devices are known by the USB devices they are parts of.
        await _usb.AdoptAsync();
        await _block.AdoptAsync();
        await _mic.AdoptAsync();
    }
}
