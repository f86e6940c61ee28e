using Qubes.Admin.Calls;
using Qubes.Admin.Server;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Policy.Loading;

namespace Qubes.Admin.State;

/// <summary>
/// One caller of <c>admin.state.Follow</c>. Of a caller who does not see everything it is known what it sees, so that it is told when
/// that becomes more or less: its filters are asked again about a qube that changed, and about all when the caller itself or the policy
/// changed.
/// </summary>
/// <param name="caller">Who.</param>
/// <param name="filters">What it may see.</param>
/// <param name="told">The names it was ever told; grows.</param>
internal sealed class StateFollower(Qube caller, AdminFilters filters, HashSet<string> told)
{
    private readonly Dictionary<string, QubeSections> _visible = new(StringComparer.Ordinal);
    private bool _seesSystem;
    private LoadedPolicy? _policy;

    public AdminEventSink Stream { get; set; }

    public bool SeesAll => filters.AllowsAll;

    /// <summary>
    /// Takes note of what the caller sees and writes what it may not know: every qube of <paramref name="changed"/> as it is now.
    /// </summary>
    public void CatchUp(QubesApp app, StateImages images, LoadedPolicy policy, IEnumerable<string> changed, bool isSystem, ReplyBuffer output)
    {
        _policy = policy;
        foreach (QubeImage image in images.Qubes)
        {
            if (filters.SectionsOf(image.Qube) is not QubeSections.None and var sees)
            {
                _visible.Add(image.Qube.Name, sees);
            }
        }

        told.UnionWith(_visible.Keys);
        _seesSystem = filters.Allows(app);
        foreach (string name in changed)
        {
            if (_visible.TryGetValue(name, out QubeSections sees))
            {
                StateMessages.WriteQube(output, name, images.Find(name)!.Fragment, sees);
            }
            else if (told.Contains(name))
            {
                StateMessages.WriteRemoved(output, name);
            }
        }

        if (isSystem)
        {
            StateMessages.WriteSystem(output, _seesSystem ? images.System : null);
        }
    }

    /// <summary>Writes the part of a change that the caller sees.</summary>
    public void Write(QubesApp app, StateImages images, LoadedPolicy policy, StateDelta delta, ReplyBuffer output)
    {
        bool askAll = !ReferenceEquals(_policy, policy) || delta.Qubes.Any(qube => qube.Name == caller.Name.Value);
        _policy = policy;
        foreach (QubeDelta qube in delta.Qubes)
        {
            Tell(qube, output);
        }

        if (askAll)
        {
            HashSet<string> known = [.. delta.Qubes.Select(qube => qube.Name)];
            foreach (QubeImage image in images.Qubes.Where(image => !known.Contains(image.Qube.Name)))
            {
                Tell(new QubeDelta(image.Qube.Name, image.Qube, image.Fragment, image.Fragment), output);
            }
        }

        if (askAll || delta.SystemBefore is not null)
        {
            TellSystem(filters.Allows(app), images.System, delta.SystemBefore, output);
        }
    }

    private void Tell(QubeDelta delta, ReplyBuffer output)
    {
        QubeSections saw = _visible.GetValueOrDefault(delta.Name);
        QubeSections sees = delta.Qube is { } qube ? filters.SectionsOf(qube) : QubeSections.None;
        if (sees == QubeSections.None)
        {
            if (_visible.Remove(delta.Name))
            {
                StateMessages.WriteRemoved(output, delta.Name);
            }

            return;
        }

        _visible[delta.Name] = sees;
        if (saw == QubeSections.None || delta.Before is null)
        {
            told.Add(delta.Name);
            StateMessages.WriteQube(output, delta.Name, delta.After!, sees);
        }
        else
        {
            StateMessages.WriteQubeChanges(output, delta.Name, delta.Before, saw, delta.After!, sees);
        }
    }

    private void TellSystem(bool isNow, StateFragment system, StateFragment? before, ReplyBuffer output)
    {
        if (isNow && _seesSystem && before is not null)
        {
            StateMessages.WriteSystemChanges(output, before, system);
        }
        else if (isNow != _seesSystem)
        {
            StateMessages.WriteSystem(output, isNow ? system : null);
        }

        _seesSystem = isNow;
    }
}
