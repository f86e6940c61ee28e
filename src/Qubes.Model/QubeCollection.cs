using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Model;

/// <summary>All qubes: found by name, number and UUID; iterated with dom0 first, then by name.</summary>
public sealed class QubeCollection : IReadOnlyCollection<Qube>
{
    /// <summary>Numbers of qubes lie below this.</summary>
    public const int MaxQid = 10000;

    private readonly QubesApp _app;
    private readonly Dictionary<string, Qube> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<int, Qube> _byQid = [];
    private readonly Dictionary<QubeUuid, Qube> _byUuid = [];
    private readonly List<Qube> _sorted = [];

    // Names and numbers of qubes that are in the store but could not be loaded.
    private readonly HashSet<string> _reservedNames = new(StringComparer.Ordinal);
    private readonly HashSet<int> _reservedQids = [];

    // Removed by changes that do not hold yet: should such a change be taken back, they need what they had.
    private readonly List<Qube> _leaving = [];

    internal QubeCollection(QubesApp app) => _app = app;

    public int Count => _sorted.Count;

    /// <summary>dom0; a loaded or new application has it.</summary>
    public AdminVM AdminVM => (AdminVM)_byQid[0];

    /// <exception cref="QubesException"><c>QubesVMNotFoundError</c>.</exception>
    public Qube this[string name] => TryGet(name, out Qube? qube) ? qube : throw QubesErrors.VMNotFound(name);

    public bool TryGet(string name, [NotNullWhen(true)] out Qube? qube) => _byName.TryGetValue(name, out qube);

    public bool TryGet(ReadOnlySpan<char> name, [NotNullWhen(true)] out Qube? qube) =>
        _byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out qube);

    public bool TryGet(int qid, [NotNullWhen(true)] out Qube? qube) => _byQid.TryGetValue(qid, out qube);

    public bool TryGet(QubeUuid uuid, [NotNullWhen(true)] out Qube? qube) => _byUuid.TryGetValue(uuid, out qube);

    /// <summary>Finds the qube that a request names: not one that another call is still making.</summary>
    public bool TryFind(string untrustedName, [NotNullWhen(true)] out Qube? qube) => TryGet(untrustedName, out qube) && IsKnownHere(ref qube);

    /// <inheritdoc cref="TryFind(string, out Qube?)"/>
    public bool TryFind(QubeUuid uuid, [NotNullWhen(true)] out Qube? qube) => TryGet(uuid, out qube) && IsKnownHere(ref qube);

    /// <inheritdoc cref="TryFind(string, out Qube?)"/>
    /// <exception cref="QubesException"><c>QubesVMNotFoundError</c>.</exception>
    public Qube Find(string untrustedName) => TryFind(untrustedName, out Qube? qube) ? qube : throw QubesErrors.VMNotFound(untrustedName);

    /// <summary>
    /// Names a qube may not take: one has it, until its removal holds, or an entry of the store that could not be loaded has.
    /// </summary>
    public bool IsNameTaken(string name) =>
        _byName.ContainsKey(name) || _reservedNames.Contains(name) || _leaving.Exists(qube => qube.Name.Value == name);

    /// <inheritdoc cref="IsNameTaken"/>
    public bool IsQidTaken(int qid) => _byQid.ContainsKey(qid) || _reservedQids.Contains(qid) || _leaving.Exists(qube => qube.Qid == qid);

    /// <summary>Keeps a name or number from being given away: the store has an entry that could not be loaded.</summary>
    public void Reserve(string? name, int? qid)
    {
        if (name is not null)
        {
            _reservedNames.Add(name);
        }

        if (qid is { } number)
        {
            _reservedQids.Add(number);
        }
    }

    /// <summary>Keeps the same names and numbers from being given away as another collection.</summary>
    internal void ReserveLike(QubeCollection other)
    {
        _reservedNames.UnionWith(other._reservedNames);
        _reservedQids.UnionWith(other._reservedQids);
    }

    /// <summary>The lowest free number.</summary>
    public int NewQid()
    {
        for (int qid = 1; qid < MaxQid; qid++)
        {
            if (!IsQidTaken(qid))
            {
                return qid;
            }
        }

        throw QubesErrors.General("Cannot find unused qid!");
    }

    /// <summary>
    /// Makes a qube and adds it: properties without events, then <c>domain-init</c> on the qube and <c>domain-add</c> on the
    /// application. On an exception nothing remains.
    /// </summary>
    public Qube Create(NewQube parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        QubeClass qubeClass = parameters.Class;
        if (qubeClass.Factory is null)
        {
            throw QubesErrors.PropertyCannotBeSet("qid", qubeClass.Name);
        }

        if (IsNameTaken(parameters.Name))
        {
            throw QubesErrors.VMAlreadyExists(parameters.Name);
        }

        int qid = parameters.Qid ?? NewQid();
        QubeUuid uuid = parameters.Uuid ?? new QubeUuid(Guid.NewGuid());
        if (qid is < 1 or >= MaxQid || IsQidTaken(qid))
        {
            throw QubesErrors.Value($"qid {qid} is not available");
        }

        if (_byUuid.ContainsKey(uuid) || _leaving.Exists(leaving => leaving.Uuid == uuid))
        {
            throw QubesErrors.Value($"UUID {uuid} is not available");
        }

        using ChangeScope scope = _app.Changes.Enter();
        Qube qube = Instantiate(qubeClass, new QubeIdentity(parameters.Name, qid, uuid));
        QubeProperties.Label.SetInput(qube, parameters.Label);
        if (qubeClass.Properties.TryFind("template", out Properties.PropertyDefinition? template))
        {
            Qube based = parameters.Template ?? DefaultTemplate(qubeClass);
            if (qube is DispVM)
            {
                DisposableInheritance.RequireTemplate(based);
            }

            template.SetInput(qube, based);
        }

        foreach ((Properties.PropertyDefinition property, object? value) in qubeClass.Content.Properties.Concat(parameters.Properties))
        {
            property.SetInput(qube, value);
        }

        if (qube is QubesVM vm)
        {
            vm.Volumes.Load(vm is DispVM { Template: { } origin } ? DisposableInheritance.Volumes(qubeClass.Volumes, origin) : qubeClass.Volumes);
            if (!QubesAppProperties.CheckUpdatesVM.Get(_app))
            {
                vm.Features.Load("check-updates", Features.QubeFeatures.False);
            }

            foreach ((FeatureName name, string value) in qubeClass.Content.Features)
            {
                vm.Features.Load(name.Value, value);
            }

            foreach (TagName tag in qubeClass.Content.Tags)
            {
                vm.Tags.Load(tag);
            }
        }

        if (qube is DispVM numbered && !DispVMProperties.DispId.IsExplicit(numbered))
        {
            DispVMProperties.DispId.SetInput(numbered, _app.DispIds.Next());
        }

        qube.EventsEnabled = true;
        qube.Fire("domain-init");
        if (qube is DispVM { Template: { } copied } disposable)
        {
            DisposableInheritance.Copy(disposable, copied);
        }

        Add(qube);
        scope.Record(() => Drop(qube), new ChangeRecord(qube.SubjectText, "qube", Before: null, qube.Klass));
        ModelChange making = _app.Changes.Current!;
        qube.Making = making;
        making.Defer(() => qube.Making = null);
        _app.Fire("domain-add", EventArguments.Of("vm", qube));
        scope.Done();
        return qube;
    }

    /// <summary>Makes a qube of the store and adds it, without events; its properties are loaded afterwards.</summary>
    /// <exception cref="QubesException">The name, number or UUID is taken.</exception>
    public Qube Load(QubeClass qubeClass, QubeIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(qubeClass);
        Qube qube = qubeClass == QubeClasses.AdminVM ? new AdminVM(_app) : Instantiate(qubeClass, identity);
        if (_byQid.ContainsKey(qube.Qid) || _byName.ContainsKey(qube.Name) || _byUuid.ContainsKey(qube.Uuid))
        {
            throw QubesErrors.Value($"A VM named {qube.Name}, or its number or UUID, already exists");
        }

        Add(qube);
        return qube;
    }

    /// <summary>Takes back a <see cref="Load"/>: the entry turned out to be bad.</summary>
    public void Unload(Qube qube) => Drop(qube);

    /// <summary>
    /// The checks that precede a removal: halted, and <c>domain-pre-delete</c>, whose built-in handler refuses while anything refers
    /// to the qube.
    /// </summary>
    public void CheckRemovable(Qube qube)
    {
        CheckHalted(qube);
        _app.FirePre("domain-pre-delete", EventArguments.Of("vm", qube));
    }

    /// <summary>The first of the checks of <see cref="CheckRemovable"/>.</summary>
    public static void CheckHalted(Qube qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        if (qube is QubesVM && !qube.IsHalted)
        {
            throw QubesErrors.VMNotHalted(qube.Name);
        }
    }

    /// <summary>Drops the qube and fires <c>domain-delete</c>. <see cref="CheckRemovable"/> comes first.</summary>
    public void Remove(Qube qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        using ChangeScope scope = _app.Changes.Enter();
        Drop(qube);
        _leaving.Add(qube);
        int? freed = (qube as DispVM)?.DispId;
        if (freed is { } number)
        {
            _app.DispIds.Free(number);
        }

        scope.Record(
            () =>
            {
                _leaving.Remove(qube);
                Add(qube);
                if (freed is { } taken)
                {
                    _app.DispIds.Unfree(taken);
                }
            },
            new ChangeRecord(qube.SubjectText, "qube", qube.Klass, After: null));
        _app.Changes.WhenHolds(() => _leaving.Remove(qube));
        _app.Fire("domain-delete", EventArguments.Of("vm", qube));
        scope.Done();
    }

    public List<Qube>.Enumerator GetEnumerator() => _sorted.GetEnumerator();

    IEnumerator<Qube> IEnumerable<Qube>.GetEnumerator() => _sorted.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _sorted.GetEnumerator();

    private bool IsKnownHere([NotNullWhen(true)] ref Qube? qube)
    {
        if (qube is { IsBeingMade: true } && !_app.Changes.IsWithin(qube.Making!))
        {
            qube = null;
        }

        return qube is not null;
    }

    private Qube Instantiate(QubeClass qubeClass, QubeIdentity identity)
    {
        Qube qube = qubeClass.Factory!(_app, qubeClass, identity);
        qube.SetSlot(QubeProperties.Name.Name, identity.Name);
        qube.SetSlot(QubeProperties.Qid.Name, identity.Qid);
        qube.SetSlot(QubeProperties.Uuid.Name, identity.Uuid);
        return qube;
    }

    private Qube DefaultTemplate(QubeClass qubeClass) =>
        (qubeClass.Root == QubeClasses.DispVM ? QubesAppProperties.DefaultDispVM.Get(_app) : QubesAppProperties.DefaultTemplate.Get(_app))
        ?? throw QubesErrors.Value("Template for the qube not specified, nor default template set.");

    private void Add(Qube qube)
    {
        _byName.Add(qube.Name, qube);
        _byQid.Add(qube.Qid, qube);
        _byUuid.Add(qube.Uuid, qube);
        int at = _sorted.BinarySearch(qube, Qube.ListOrder);
        _sorted.Insert(at < 0 ? ~at : at, qube);
        qube.IsInCollection = true;
        _app.TouchStore(ModelAspect.Qubes, qube.Name);
    }

    private void Drop(Qube qube)
    {
        _byName.Remove(qube.Name);
        _byQid.Remove(qube.Qid);
        _byUuid.Remove(qube.Uuid);
        _sorted.Remove(qube);
        qube.IsInCollection = false;
        _app.TouchStore(ModelAspect.Qubes, qube.Name);
    }
}
