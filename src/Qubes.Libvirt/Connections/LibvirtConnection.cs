using System.Runtime.InteropServices;
using Qubes.Libvirt.Native;

namespace Qubes.Libvirt;

/// <summary>
/// A connection to a hypervisor. libvirt allows any thread to use it and serves a few calls of one connection at a time.
/// Every method may block: call it on a lane.
/// </summary>
public sealed unsafe class LibvirtConnection : IDisposable
{
    // A daemon that says nothing for 5 × 5 s is taken for dead.
    private const int KeepAliveSeconds = 5;
    private const uint KeepAliveCount = 5;

    private LibvirtConnection(ConnectionHandle handle, string uri)
    {
        Handle = handle;
        Uri = uri;
    }

    public string Uri { get; }

    /// <summary>The driver: <c>QEMU</c>, <c>Xen</c>, <c>TEST</c>.</summary>
    public string DriverName => Marshal.PtrToStringUTF8((nint)ConnectionCalls.GetType(Handle)) ?? "";

    /// <summary>False when the connection broke: open another.</summary>
    public bool IsAlive => ConnectionCalls.IsAlive(Handle) > 0;

    internal ConnectionHandle Handle { get; }

    /// <param name="uri">For example <c>qemu:///system</c>.</param>
    public static LibvirtConnection Open(string uri)
    {
        LibvirtLibrary.EnsureStarted();
        var handle = Check.Handle(ConnectionCalls.Open(uri), "virConnectOpen");
        // Drivers inside this process have nobody to keep alive and refuse.
        if (ConnectionCalls.SetKeepAlive(handle, KeepAliveSeconds, KeepAliveCount) < 0)
            LibraryCalls.ResetLastError();
        return new LibvirtConnection(handle, uri);
    }

    /// <summary>The host's and hypervisor's capabilities, as XML.</summary>
    public string GetCapabilities() => Check.OwnedString(ConnectionCalls.GetCapabilities(Handle), "virConnectGetCapabilities");

    public HostInfo GetHostInfo()
    {
        ConnectionCalls.NodeInfo info;
        Check.Result(ConnectionCalls.NodeGetInfo(Handle, &info), "virNodeGetInfo");
        return new HostInfo(info.MemoryKiB, info.Cpus);
    }

    /// <summary>Null when the hypervisor knows no such domain.</summary>
    public LibvirtDomain? Find(Guid uuid) =>
        Check.HandleOrAbsent(DomainCalls.LookupByUuid(Handle, uuid.ToString("D")), "virDomainLookupByUUIDString") is { } domain
            ? new LibvirtDomain(domain)
            : null;

    /// <summary>Null when the hypervisor knows no such domain.</summary>
    public LibvirtDomain? Find(string name) =>
        Check.HandleOrAbsent(DomainCalls.LookupByName(Handle, name), "virDomainLookupByName") is { } domain
            ? new LibvirtDomain(domain)
            : null;

    /// <summary>Stores a domain's description, replacing that of the same name and UUID.</summary>
    public LibvirtDomain Define(string xml) =>
        new(Check.Handle(DomainCalls.DefineXml(Handle, xml, 0), "virDomainDefineXMLFlags"));

    /// <summary>All domains in one call, running and defined, without waiting for busy ones.</summary>
    public IReadOnlyList<DomainSample> GetAllDomains()
    {
        // The test driver's bulk statistics know the state only, and its calls never wait.
        if (DriverName == "TEST")
            return GetAllDomainsOneByOne();
        ConnectionCalls.StatsRecord** records = null;
        const uint Stats = ConnectionCalls.VIR_DOMAIN_STATS_STATE | ConnectionCalls.VIR_DOMAIN_STATS_CPU_TOTAL
            | ConnectionCalls.VIR_DOMAIN_STATS_BALLOON | ConnectionCalls.VIR_DOMAIN_STATS_VCPU;
        var count = ConnectionCalls.GetAllDomainStats(Handle, Stats, &records, ConnectionCalls.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
        Check.Result(count, "virConnectGetAllDomainStats");
        try
        {
            var samples = new DomainSample[count];
            for (var i = 0; i < count; i++)
                samples[i] = StatsReader.Read(records[i]);
            return samples;
        }
        finally
        {
            ConnectionCalls.FreeStats(records);
        }
    }

    public void Dispose() => Handle.Dispose();

    private List<DomainSample> GetAllDomainsOneByOne()
    {
        nint* domains = null;
        var count = Check.Result(ConnectionCalls.ListAllDomains(Handle, &domains, 0), "virConnectListAllDomains");
        try
        {
            var samples = new List<DomainSample>(count);
            for (var i = 0; i < count; i++)
            {
                using var domain = new LibvirtDomain(new DomainHandle(domains[i]));
                try
                {
                    samples.Add(domain.GetSample());
                }
                catch (LibvirtException gone) when (gone.Error == LibvirtError.NoDomain)
                {
                    // It vanished after the listing.
                }
            }

            return samples;
        }
        finally
        {
            LibraryCalls.Free(domains);
        }
    }
}
