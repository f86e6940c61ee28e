using Qubes.Model.Changes;
using Qubes.Model.Features;
using Qubes.Model.Foreign;
using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Protocol.Events;
using Qubes.Protocol.Names;

namespace Qubes.Model.Classes;

/// <summary>Every qube, dom0 included (upstream's BaseVM). Identity is the object. Belongs to the model loop.</summary>
public abstract class Qube : PropertyHolder, IEventValue
{
    private protected Qube(QubesApp app, QubeClass qubeClass, QubeIdentity identity)
    {
        App = app;
        Class = qubeClass;
        Name = identity.Name;
        Qid = identity.Qid;
        Uuid = identity.Uuid;
        Features = new QubeFeatures(this);
        Tags = new QubeTags(this);
    }

    /// <summary>dom0 first, then by name: the order of listings and of the store.</summary>
    public static IComparer<Qube> ListOrder { get; } = Comparer<Qube>.Create(static (left, right) =>
    {
        int byClass = (right is AdminVM).CompareTo(left is AdminVM);
        return byClass != 0 ? byClass : left.Name.CompareTo(right.Name);
    });

    public sealed override QubesApp App { get; }

    public QubeClass Class { get; }

    /// <summary>The class's name, such as <c>AppVM</c>.</summary>
    public string Klass => Class.Name;

    public sealed override PropertyTable Properties => Class.Properties;

    public sealed override Events.EmitterClass EmitterClass => Class.Emitter;

    public QubeName Name { get; }

    public int Qid { get; }

    public QubeUuid Uuid { get; }

    public sealed override string SubjectText => Name;

    public sealed override string HolderText => Name;

    public string EventText => Name;

    public QubeFeatures Features { get; }

    public QubeTags Tags { get; }

    /// <summary>Null only in a store that lacks it.</summary>
    public Label? Label => QubeProperties.Label.Get(this);

    /// <summary>The qube this one is based on, if its class has templates.</summary>
    public virtual Qube? Template => null;

    /// <summary>The qube that gives this one network.</summary>
    public virtual QubesVM? NetVM => null;

    public abstract PowerState PowerState { get; }

    /// <summary>Active in any way: also paused, suspended, starting, dying.</summary>
    public bool IsRunning => PowerState != PowerState.Halted;

    public bool IsHalted => PowerState == PowerState.Halted;

    /// <summary>It can be found in <see cref="QubesApp.Domains"/>; others are not seen by event observers.</summary>
    public bool IsInCollection { get; internal set; }

    /// <summary>
    /// The change that makes it is not with the store yet and may still be taken back: the store leaves the qube out, and
    /// for other calls it does not exist (<see cref="QubeCollection.TryFind(string, out Qube?)"/>).
    /// </summary>
    public bool IsBeingMade => Making is { IsPending: true };

    /// <summary>The change that makes it, until that holds.</summary>
    internal ModelChange? Making { get; set; }

    /// <summary>The name of the icon that stands for the qube in menus.</summary>
    public virtual string Icon => IconPrefix + Label?.Name;

    /// <summary>What the store says of it beside what this version understands; null where there is nothing.</summary>
    public ForeignParts? Foreign { get; set; }

    private protected abstract string IconPrefix { get; }

    public override string ToString() => Name;
}
