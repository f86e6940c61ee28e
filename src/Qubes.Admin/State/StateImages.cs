using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;

namespace Qubes.Admin.State;

/// <summary>
/// The images of all qubes and of the system: the state as it was last looked at. A refresh makes anew only what can have changed:
/// the qubes that were touched themselves, and those of whose values some part was touched, such as a template's memory or the
/// default network qube. Belongs to the model loop.
/// </summary>
internal sealed class StateImages
{
    private readonly QubesApp _app;
    private readonly StateWriter _writer = new();
    private readonly SortedDictionary<string, QubeImage> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<HashSet<ModelPart>, DependencySet> _dependencies = new(HashSet<ModelPart>.CreateSetComparer());

    /// <summary>Looks at everything.</summary>
    public StateImages(QubesApp app)
    {
        _app = app;
        System = _writer.Write(app);
        foreach (Qube qube in app.Domains.Where(qube => !qube.IsBeingMade))
        {
            _byName[qube.Name] = Look(qube);
        }
    }

    public StateFragment System { get; private set; }

    /// <summary>By name.</summary>
    public IReadOnlyCollection<QubeImage> Qubes => _byName.Values;

    public QubeImage? Find(string name) => _byName.GetValueOrDefault(name);

    /// <param name="touched">What the model says was touched since the last refresh.</param>
    /// <param name="announced">Qubes of which an event said that values changed: those may be made of more than the model.</param>
    /// <param name="everything">Look at all qubes.</param>
    public StateDelta Refresh(IReadOnlySet<ModelPart> touched, IEnumerable<Qube> announced, bool everything)
    {
        SortedSet<string> suspects = new(StringComparer.Ordinal);
        foreach (ModelPart part in touched)
        {
            if (part.Aspect == ModelAspect.Qubes)
            {
                suspects.Add(part.Item);
            }
            else if (part.Holder is Qube qube)
            {
                suspects.Add(qube.Name);
            }
        }

        suspects.UnionWith(announced.Select(qube => qube.Name.Value));
        if (everything)
        {
            suspects.UnionWith(_byName.Keys);
            suspects.UnionWith(_app.Domains.Select(qube => qube.Name.Value));
        }
        else
        {
            AddDependents(touched, suspects);
        }

        List<QubeDelta> qubes = [];
        foreach (string name in suspects)
        {
            if (LookAgain(name) is { } delta)
            {
                qubes.Add(delta);
            }
        }

        // The system's own values are few: they are always looked at.
        StateFragment before = System;
        StateFragment after = _writer.Write(_app);
        bool same = after.IsSameAs(before);
        System = same ? before : after;
        return new StateDelta(qubes, same ? null : before);
    }

    private void AddDependents(IReadOnlySet<ModelPart> touched, SortedSet<string> suspects)
    {
        bool any = false;
        foreach (DependencySet set in _dependencies.Values)
        {
            set.IsHit = set.Parts.Overlaps(touched);
            any |= set.IsHit;
        }

        if (any)
        {
            suspects.UnionWith(_byName.Values.Where(image => image.Dependencies.IsHit).Select(image => image.Qube.Name.Value));
        }
    }

    private QubeDelta? LookAgain(string name)
    {
        QubeImage? known = Find(name);
        if (!_app.Domains.TryGet(name, out Qube? qube) || qube.IsBeingMade)
        {
            if (known is null)
            {
                return null;
            }

            Release(known.Dependencies);
            _byName.Remove(name);
            return new QubeDelta(name, null, known.Fragment, null);
        }

        QubeImage image = Look(qube);
        if (known is null || known.Qube != qube)
        {
            if (known is not null)
            {
                Release(known.Dependencies);
            }

            _byName[name] = image;
            return new QubeDelta(name, qube, null, image.Fragment);
        }

        Release(known.Dependencies);
        known.Dependencies = image.Dependencies;
        StateFragment before = known.Fragment;
        if (before.IsSameAs(image.Fragment))
        {
            return null;
        }

        known.Fragment = image.Fragment;
        return new QubeDelta(name, qube, before, image.Fragment);
    }

    private QubeImage Look(Qube qube)
    {
        HashSet<ModelPart> parts = [];
        _app.Changes.RecordReads(qube, parts);
        try
        {
            StateFragment fragment = _writer.Write(qube);
            return new QubeImage(qube) { Fragment = fragment, Dependencies = Share(parts) };
        }
        finally
        {
            _app.Changes.RecordReads(null, null);
        }
    }

    private DependencySet Share(HashSet<ModelPart> parts)
    {
        if (!_dependencies.TryGetValue(parts, out DependencySet? shared))
        {
            parts.TrimExcess();
            _dependencies.Add(parts, shared = new DependencySet(parts));
        }

        shared.Users++;
        return shared;
    }

    private void Release(DependencySet set)
    {
        if (--set.Users == 0)
        {
            _dependencies.Remove(set.Parts);
        }
    }
}
