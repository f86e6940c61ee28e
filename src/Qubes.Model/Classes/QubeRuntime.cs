using Qubes.Model.Changes;

namespace Qubes.Model.Classes;

/// <summary>
/// What is known of a running qube from the hypervisor's last event or sample. Set by the lifecycle layer, never
/// saved; reads never wait for the hypervisor.
/// </summary>
public sealed class QubeRuntime
{
    private readonly QubesVM _owner;
    private PowerState _state;
    private int _xid = -1;
    private int _stubdomXid = -1;
    private string _stubdomUuid = "";
    private double? _startTime;
    private bool _isPreloadRequested;

    internal QubeRuntime(QubesVM owner) => _owner = owner;

    public PowerState State
    {
        get => Read(ref _state);
        set => Write(ref _state, value);
    }

    /// <summary>The hypervisor's number for the domain; -1 when not running.</summary>
    public int Xid
    {
        get => Read(ref _xid);
        set => Write(ref _xid, value);
    }

    /// <summary>The stub domain's number; -1 without one.</summary>
    public int StubdomXid
    {
        get => Read(ref _stubdomXid);
        set => Write(ref _stubdomXid, value);
    }

    /// <summary>The stub domain's UUID; empty without one.</summary>
    public string StubdomUuid
    {
        get => Read(ref _stubdomUuid);
        set => Write(ref _stubdomUuid, value);
    }

    /// <summary>A disposable started ahead of need was chosen for somebody; see <see cref="DispVM.PreloadRequested"/>.</summary>
    public bool IsPreloadRequested
    {
        get => Read(ref _isPreloadRequested);
        set => Write(ref _isPreloadRequested, value);
    }

    /// <summary>Seconds since the epoch; null when not running or not known.</summary>
    public double? StartTime
    {
        get => Read(ref _startTime);
        set => Write(ref _startTime, value);
    }

    /// <summary>Memory in use by the last sample, in KiB. Samples are not told to those who follow the state.</summary>
    public long MemoryKiB { get; set; }

    /// <summary>Virtual CPUs in use by the last sample; 0 before the first.</summary>
    public int OnlineVCpus { get; set; }

    /// <summary>CPU time used in total by the last sample, in milliseconds.</summary>
    public long CpuTimeMs { get; set; }

    /// <summary>CPU use over the last sampling period, in percent of all its virtual CPUs.</summary>
    public int CpuUsagePercent { get; set; }

    private T Read<T>(ref T field)
    {
        _owner.App.Changes.NoteRead(_owner, ModelAspect.Runtime);
        return field;
    }

    private void Write<T>(ref T field, T value)
    {
        if (!EqualityComparer<T>.Default.Equals(field, value))
        {
            field = value;
            _owner.App.Changes.TouchUnsaved(_owner, ModelAspect.Runtime);
        }
    }
}
