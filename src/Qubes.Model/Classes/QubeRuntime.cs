namespace Qubes.Model.Classes;

/// <summary>
/// What is known of a running qube from the hypervisor's last event or sample. Plain fields set by the lifecycle layer, never
/// saved; reads never wait for the hypervisor.
/// </summary>
public sealed class QubeRuntime
{
    public PowerState State { get; set; }

    /// <summary>The hypervisor's number for the domain; -1 when not running.</summary>
    public int Xid { get; set; } = -1;

    /// <summary>The stub domain's number; -1 without one.</summary>
    public int StubdomXid { get; set; } = -1;

    /// <summary>The stub domain's UUID; empty without one.</summary>
    public string StubdomUuid { get; set; } = "";

    /// <summary>Seconds since the epoch; null when not running or not known.</summary>
    public double? StartTime { get; set; }

    /// <summary>Memory in use by the last sample, in KiB.</summary>
    public long MemoryKiB { get; set; }

    /// <summary>CPU time used in total by the last sample, in milliseconds.</summary>
    public long CpuTimeMs { get; set; }

    /// <summary>CPU use over the last sampling period, in percent of all its virtual CPUs.</summary>
    public int CpuUsagePercent { get; set; }
}
