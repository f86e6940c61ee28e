using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;

namespace Qubes.Model;

/// <summary>
/// The application: all qubes, labels, pools and global properties, the registry of event handlers and the record of changes.
/// The root of the model; everything in it belongs to the model loop.
/// </summary>
public sealed class QubesApp : PropertyHolder
{
    private readonly List<string> _problems = [];

    /// <param name="host">Facts of the machine.</param>
    /// <param name="time">For how long something rests; the system's by default.</param>
    /// <param name="classes">Beside the daemon's own; none by default.</param>
    public QubesApp(IHostFacts host, TimeProvider? time = null, QubeClassSet? classes = null)
    {
        Host = host;
        Classes = classes ?? new QubeClassSet([]);
        Changes = new ChangeTracker(this);
        Events = new EventHandlers(Changes);
        Labels = new LabelSet(this);
        Pools = new PoolSet(this);
        Devices = new DeviceSources(this);
        Domains = new QubeCollection(this);
        DispIds = new DispIdAllocator(Domains, time ?? TimeProvider.System);
        ModelHandlers.Register(Events);
    }

    public override QubesApp App => this;

    public override EmitterClass EmitterClass => EmitterClass.Qubes;

    public override PropertyTable Properties => QubesAppProperties.Table;

    public override string SubjectText => "";

    public override string HolderText => "Qubes";

    public IHostFacts Host { get; }

    public QubeClassSet Classes { get; }

    public ChangeTracker Changes { get; }

    public EventHandlers Events { get; }

    public LabelSet Labels { get; }

    public PoolSet Pools { get; }

    public QubeCollection Domains { get; }

    /// <summary>
    /// No chain of templates or network qubes without a loop is longer: a bound for walks over a store that has one. A qube being
    /// made is not counted yet.
    /// </summary>
    internal int MaxChainLength => Domains.Count + 1;

    /// <summary>The numbers of disposables.</summary>
    public DispIdAllocator DispIds { get; }

    /// <summary>Where devices come from.</summary>
    public DeviceSources Devices { get; }

    /// <summary>What was found wrong while loading and dealt with; the daemon logs it.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Notes something that was found wrong in the store.</summary>
    public void ReportProblem(string problem) => _problems.Add(problem);

    /// <summary>
    /// The last step of loading: every qube's events are enabled and <c>domain-load</c> is fired, in order; then the application's events.
    /// </summary>
    public void FinishLoading()
    {
        foreach (Qube qube in Domains.ToArray())
        {
            qube.EventsEnabled = true;
            qube.Fire("domain-load");
        }

        EventsEnabled = true;
    }
}
