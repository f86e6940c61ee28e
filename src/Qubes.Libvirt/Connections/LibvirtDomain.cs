using System.Runtime.InteropServices;
using Qubes.Libvirt.Native;

namespace Qubes.Libvirt;

/// <summary>A domain known to the hypervisor, running or only defined. Every method may block: call it on a lane.</summary>
public sealed unsafe class LibvirtDomain : IDisposable
{
    private readonly DomainHandle _handle;

    internal LibvirtDomain(DomainHandle handle)
    {
        _handle = handle;
        Name = NameOf(handle.DangerousGetHandle());
        Uuid = UuidOf(handle.DangerousGetHandle());
    }

    public string Name { get; }

    public Guid Uuid { get; }

    /// <summary>The number of the running domain as of the look-up or the last start through this object, -1 when not active.</summary>
    public int Id
    {
        get
        {
            var id = (int)DomainCalls.GetId(_handle.DangerousGetHandle());
            GC.KeepAlive(_handle);
            return id;
        }
    }

    public (DomainState State, int Reason) GetState()
    {
        int state, reason;
        Check.Result(DomainCalls.GetState(_handle, &state, &reason, 0), "virDomainGetState");
        return ((DomainState)state, reason);
    }

    public DomainSample GetSample()
    {
        var (state, reason) = GetState();
        DomainCalls.Info info;
        Check.Result(DomainCalls.GetInfo(_handle, &info), "virDomainGetInfo");
        var active = Id >= 0;
        return new DomainSample(Name, Uuid, Id, state, reason, active ? info.MemoryKiB : 0, info.CpuTimeNanoseconds, info.VirtualCpus);
    }

    /// <summary>The live description if it runs, else the stored one.</summary>
    public string GetXml() => Check.OwnedString(DomainCalls.GetXml(_handle, 0), "virDomainGetXMLDesc");

    /// <summary>Starts the defined domain.</summary>
    /// <param name="paused">Leaves its processors stopped until <see cref="Resume"/>.</param>
    public void Start(bool paused) =>
        Check.Result(DomainCalls.CreateWithFlags(_handle, paused ? DomainCalls.VIR_DOMAIN_START_PAUSED : 0), "virDomainCreateWithFlags");

    /// <summary>Asks the guest to power off; returns at once.</summary>
    public void RequestShutdown() => Check.Result(DomainCalls.Shutdown(_handle), "virDomainShutdown");

    /// <summary>Takes the power away.</summary>
    public void Destroy() => Check.Result(DomainCalls.Destroy(_handle), "virDomainDestroy");

    public void Suspend() => Check.Result(DomainCalls.Suspend(_handle), "virDomainSuspend");

    public void Resume() => Check.Result(DomainCalls.Resume(_handle), "virDomainResume");

    /// <summary>Lets the guest suspend to its memory; needs an agent in it, or an emulated sleep state.</summary>
    public void SuspendToMemory() => Check.Result(
        DomainCalls.PMSuspendForDuration(_handle, DomainCalls.VIR_NODE_SUSPEND_TARGET_MEM, 0, 0), "virDomainPMSuspendForDuration");

    /// <summary>Wakes it up again.</summary>
    public void WakeUp() => Check.Result(DomainCalls.PMWakeup(_handle, 0), "virDomainPMWakeup");

    /// <summary>Shows the running guest a disk of another size.</summary>
    /// <param name="disk">The disk's source path or target name.</param>
    /// <param name="size">Bytes.</param>
    public void ResizeDisk(string disk, long size) => Check.Result(
        DomainCalls.BlockResize(_handle, disk, (ulong)size, DomainCalls.VIR_DOMAIN_BLOCK_RESIZE_BYTES), "virDomainBlockResize");

    /// <summary>Plugs a device into the running domain; the next start knows nothing of it.</summary>
    public void AttachDevice(string xml) =>
        Check.Result(DomainCalls.AttachDeviceFlags(_handle, xml, DomainCalls.VIR_DOMAIN_AFFECT_LIVE), "virDomainAttachDeviceFlags");

    /// <summary>
    /// Asks the guest to let go of a device, and waits a few seconds for it. Whether it did, the description tells.
    /// </summary>
    public void DetachDevice(string xml) =>
        Check.Result(DomainCalls.DetachDeviceFlags(_handle, xml, DomainCalls.VIR_DOMAIN_AFFECT_LIVE), "virDomainDetachDeviceFlags");

    /// <summary>Forgets the stored description, with saved states that would stand in the way.</summary>
    public void Undefine()
    {
        const uint AllState = DomainCalls.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | DomainCalls.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
        Check.Result(DomainCalls.UndefineFlags(_handle, AllState), "virDomainUndefineFlags");
    }

    public void Dispose() => _handle.Dispose();

    internal static string NameOf(nint domain) => Marshal.PtrToStringUTF8((nint)DomainCalls.GetName(domain)) ?? "";

    internal static Guid UuidOf(nint domain)
    {
        byte* text = stackalloc byte[DomainCalls.UuidStringSize];
        Check.Result(DomainCalls.GetUuidString(domain, text), "virDomainGetUUIDString");
        return Guid.ParseExact(Marshal.PtrToStringUTF8((nint)text) ?? "", "D");
    }
}
