using System.Runtime.InteropServices;

namespace Qubes.Libvirt.Native;

/// <summary>libvirt: connections. Raw: callers check results.</summary>
internal static unsafe partial class ConnectionCalls
{
    public const int VIR_DOMAIN_EVENT_ID_LIFECYCLE = 0;
    public const int VIR_DOMAIN_EVENT_ID_REBOOT = 1;

    public const uint VIR_DOMAIN_STATS_STATE = 1 << 0;
    public const uint VIR_DOMAIN_STATS_CPU_TOTAL = 1 << 1;
    public const uint VIR_DOMAIN_STATS_BALLOON = 1 << 2;
    public const uint VIR_DOMAIN_STATS_VCPU = 1 << 3;

    /// <summary>Report what can be had at once of a domain that is busy, instead of waiting for it.</summary>
    public const uint VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT = 1 << 29;

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectOpen", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial ConnectionHandle Open(string uri);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectClose")]
    internal static partial int Close(nint connection);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectIsAlive")]
    internal static partial int IsAlive(ConnectionHandle connection);

    /// <summary>A static string of the library.</summary>
    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectGetType")]
    internal static partial byte* GetType(ConnectionHandle connection);

    /// <summary>To be freed by the caller.</summary>
    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectGetCapabilities")]
    internal static partial byte* GetCapabilities(ConnectionHandle connection);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectSetKeepAlive")]
    internal static partial int SetKeepAlive(ConnectionHandle connection, int intervalSeconds, uint count);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectRegisterCloseCallback")]
    internal static partial int RegisterCloseCallback(ConnectionHandle connection,
        delegate* unmanaged<nint, int, nint, void> callback, nint opaque, delegate* unmanaged<nint, void> freeOpaque);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectUnregisterCloseCallback")]
    internal static partial int UnregisterCloseCallback(ConnectionHandle connection, delegate* unmanaged<nint, int, nint, void> callback);

    /// <returns>The callback's id, or -1. <paramref name="callback"/> has the signature that belongs to the event.</returns>
    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectDomainEventRegisterAny")]
    internal static partial int DomainEventRegisterAny(ConnectionHandle connection, nint domain, int eventId, void* callback,
        nint opaque, delegate* unmanaged<nint, void> freeOpaque);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectDomainEventDeregisterAny")]
    internal static partial int DomainEventDeregisterAny(ConnectionHandle connection, int callbackId);

    /// <summary>The array and its domains are the caller's to free.</summary>
    /// <returns>The number of domains, or -1.</returns>
    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectListAllDomains")]
    internal static partial int ListAllDomains(ConnectionHandle connection, nint** domains, uint flags);

    /// <summary>The records are freed by <see cref="FreeStats"/>.</summary>
    /// <returns>The number of records, or -1.</returns>
    [LibraryImport(LibraryCalls.Library, EntryPoint = "virConnectGetAllDomainStats")]
    internal static partial int GetAllDomainStats(ConnectionHandle connection, uint stats, StatsRecord*** records, uint flags);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virDomainStatsRecordListFree")]
    internal static partial void FreeStats(StatsRecord** records);

    [LibraryImport(LibraryCalls.Library, EntryPoint = "virNodeGetInfo")]
    internal static partial int NodeGetInfo(ConnectionHandle connection, NodeInfo* info);

    /// <summary><c>struct _virDomainStatsRecord</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct StatsRecord
    {
        public nint Domain;
        public TypedParameter* Parameters;
        public int Count;
    }

    /// <summary><c>struct _virTypedParameter</c>: name (80 bytes), type, an 8-byte union.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct TypedParameter
    {
        public fixed byte Field[80];
        public int Type;
        public ulong Value;
    }

    /// <summary><c>struct _virNodeInfo</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct NodeInfo
    {
        public fixed byte Model[32];
        public ulong MemoryKiB;
        public uint Cpus;
        public uint Mhz;
        public uint Nodes;
        public uint Sockets;
        public uint Cores;
        public uint Threads;
    }
}
