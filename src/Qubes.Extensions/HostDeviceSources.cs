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
public sealed class HostDeviceSources : IDisposable
{
    private readonly QubesApp _app;
    private readonly ModelLoop _loop;
    private readonly ILogger _log;
    private readonly BlockSource _block;
    private readonly MicSource _mic;
    private readonly PciSource _pci;
    private readonly UsbSource _usb;

    private KernelEvents? _kernel;
    private int _isBlockStale;
    private int _isUsbStale;

    private HostDeviceSources(QubesApp app, ModelLoop loop, BlockSource block, MicSource mic, UsbSource usb, ILogger log)
    {
        _app = app;
        _loop = loop;
        _log = log;
        _block = block;
        _usb = usb;
        _mic = mic;
        _pci = new PciSource(app);
    }

    /// <param name="app">Whose qubes.</param>
    /// <param name="loop">Where the model lives.</param>
    /// <param name="hypervisor">Gives disks to qubes.</param>
    /// <param name="paths">Where the system is.</param>
    /// <param name="services">Calls services in qubes; null where there is no qrexec.</param>
    /// <param name="log">What failed without a caller.</param>
    public static HostDeviceSources Register(
        QubesApp app, ModelLoop loop, IHypervisor hypervisor, QubesPaths paths, GuestServices? services, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(paths);
        HostBlockDevices host = new("/sys", "/proc", paths.StateDirectory);
        UsbServices? usbServices = services is null ? null : new UsbServices(services, new TemporaryPolicy(paths.RuntimePolicyDirectory));
        HostDeviceSources sources = new(
            app, loop, new BlockSource(app, hypervisor, host.Scan, log), new MicSource(app, new AudioInput(services)),
            new UsbSource(app, new HostUsbDevices("/sys").Scan, usbServices, log), log);
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
        Listen();
    }

    public void Dispose() => _kernel?.Dispose();

    private void Listen()
    {
        try
        {
            _kernel = KernelEvents.Listen(Look);
        }
        catch (LinuxException e)
        {
            _log.LogWarning("The host's devices are looked at only when somebody asks: {Reason}", LogText.Escape(e.Message));
        }
    }

    /// <summary>The kernel tells that there is something to see; not what to believe. Not on the loop.</summary>
    private void Look(KernelEvent? happened)
    {
        if (happened?.Subsystem is null or "usb" && Interlocked.Exchange(ref _isUsbStale, 1) == 0)
        {
            _loop.Post(_ =>
            {
                Volatile.Write(ref _isUsbStale, 0);
                _ = _usb.RefreshAsync(_app.Domains.AdminVM);
            }, null);
        }

        if (happened?.Subsystem is null or "block" && Interlocked.Exchange(ref _isBlockStale, 1) == 0)
        {
            _loop.Post(_ =>
            {
                Volatile.Write(ref _isBlockStale, 0);
                _ = _block.RefreshAsync(_app.Domains.AdminVM);
            }, null);
        }
    }
}
