using System.Runtime.InteropServices;

namespace Qubes.Libvirt.Native;

/// <summary>libvirt: domains. Raw: callers check results.</summary>
internal static unsafe partial class DomainCalls
{
    public const int UuidStringSize = 37;
    public const uint VIR_DOMAIN_START_PAUSED = 1;
    public const uint VIR_DOMAIN_BLOCK_RESIZE_BYTES = 1;
    public const uint VIR_NODE_SUSPEND_TARGET_MEM = 0;
    public const uint VIR_DOMAIN_AFFECT_LIVE = 1;
    public const uint VIR_DOMAIN_UNDEFINE_MANAGED_SAVE = 1;
    public const uint VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA = 2;

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainFree")]
    internal static partial int Free(nint domain);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainLookupByUUIDString", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial DomainHandle LookupByUuid(ConnectionHandle connection, string uuid);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainLookupByName", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial DomainHandle LookupByName(ConnectionHandle connection, string name);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainDefineXMLFlags", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial DomainHandle DefineXml(ConnectionHandle connection, string xml, uint flags);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainCreateWithFlags")]
    internal static partial int CreateWithFlags(DomainHandle domain, uint flags);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainShutdown")]
    internal static partial int Shutdown(DomainHandle domain);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainDestroy")]
    internal static partial int Destroy(DomainHandle domain);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainSuspend")]
    internal static partial int Suspend(DomainHandle domain);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainResume")]
    internal static partial int Resume(DomainHandle domain);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainPMSuspendForDuration")]
    internal static partial int PMSuspendForDuration(DomainHandle domain, uint target, ulong duration, uint flags);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainPMWakeup")]
    internal static partial int PMWakeup(DomainHandle domain, uint flags);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainBlockResize", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int BlockResize(DomainHandle domain, string disk, ulong size, uint flags);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainUndefineFlags")]
    internal static partial int UndefineFlags(DomainHandle domain, uint flags);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainAttachDeviceFlags", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int AttachDeviceFlags(DomainHandle domain, string xml, uint flags);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainDetachDeviceFlags", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int DetachDeviceFlags(DomainHandle domain, string xml, uint flags);

    /// <summary>Belongs to the domain object.</summary>
    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainGetName")]
    internal static partial byte* GetName(nint domain);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainGetUUIDString")]
    internal static partial int GetUuidString(nint domain, byte* buffer);

    /// <returns>-1 when not running.</returns>
    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainGetID")]
    internal static partial uint GetId(nint domain);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainGetState")]
    internal static partial int GetState(DomainHandle domain, int* state, int* reason, uint flags);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainGetInfo")]
    internal static partial int GetInfo(DomainHandle domain, Info* info);

    /// <summary>To be freed by the caller.</summary>
    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainGetXMLDesc")]
    internal static partial byte* GetXml(DomainHandle domain, uint flags);

    /// <summary><c>struct _virDomainInfo</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Info
    {
        public byte State;
        public ulong MaxMemoryKiB;
        public ulong MemoryKiB;
        public ushort VirtualCpus;
        public ulong CpuTimeNanoseconds;
    }
}
