using Microsoft.Extensions.Logging;
using Qubes.Extensions.Block;
using Qubes.Extensions.Mic;
using Qubes.Extensions.Pci;
using Qubes.Lifecycle.Hypervisors;
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

    private HostDeviceSources(QubesApp app, BlockSource block)
    {
        _app = app;
        _block = block;
        _mic = new MicSource(app);
        _pci = new PciSource(app);
    }

    public static HostDeviceSources Register(QubesApp app, IHypervisor hypervisor, QubesPaths paths, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(paths);
        HostBlockDevices host = new("/sys", "/proc", paths.StateDirectory);
        HostDeviceSources sources = new(app, new BlockSource(app, hypervisor, host.Scan, log));
        app.Devices.Failed = (what, failure) => log.LogError(failure, "{What}", LogText.Escape(what));
        sources._block.Register();
        sources._mic.Register();
        sources._pci.Register();
        return sources;
    }

    /// <summary>When running qubes were taken over: learns what is there, and who has it.</summary>
    public async Task AdoptAsync()
    {
        string backend = _app.Domains.AdminVM.Name;
        _pci.BeginLoading(() => new HostPciDevices("/sys", backend).Scan(PciDatabase.Load()));
        await _block.AdoptAsync();
        await _mic.AdoptAsync();
    }
}
