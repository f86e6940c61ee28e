using System.Diagnostics.CodeAnalysis;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Features;

/// <summary>
/// The features of one qube: text by name, in order of insertion. A feature is absent, empty (false) or anything else (true,
/// also the text <c>0</c>). Names are validated where they enter (<see cref="Protocol.Names.FeatureName"/>).
/// </summary>
public sealed class QubeFeatures
{
    /// <summary>How a true boolean is written.</summary>
    public const string True = "1";

    /// <summary>How a false boolean is written.</summary>
    public const string False = "";

    private readonly Qube _owner;
    private OrderedDictionary<string, string>? _items;

    internal QubeFeatures(Qube owner) => _owner = owner;

    public int Count => All.Count;

    /// <summary>In order of insertion.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> All
    {
        get
        {
            NoteRead("");
            return _items ?? (IReadOnlyList<KeyValuePair<string, string>>)[];
        }
    }

    public bool Contains(string name) => TryGet(name, out _);

    /// <summary>The qube's own feature, without any inheritance.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out string? value)
    {
        NoteRead(name);
        value = null;
        return _items is not null && _items.TryGetValue(name, out value);
    }

    /// <summary>The qube's own feature or null.</summary>
    public string? Get(string name) => TryGet(name, out string? value) ? value : null;

    /// <summary>The qube's own feature is set and true.</summary>
    public bool IsTrue(string name) => TryGet(name, out string? value) && value.Length != 0;

    /// <summary>Looks at the qube, then along its templates.</summary>
    public string? CheckWithTemplate(string name) => Follow(name, static qube => qube.Template);

    /// <summary>Looks at the qube, then along its network qubes.</summary>
    public string? CheckWithNetVM(string name) => Follow(name, static qube => qube.NetVM);

    /// <summary>Looks at the qube, then at dom0.</summary>
    public string? CheckWithAdminVM(string name) => Get(name) ?? AtAdminVM(name);

    /// <summary>Looks at the qube, along its templates, then at dom0.</summary>
    public string? CheckWithTemplateAndAdminVM(string name) => CheckWithTemplate(name) ?? AtAdminVM(name);

    /// <summary>Sets a feature with its events; pre-set handlers may refuse. Equal values fire the events too.</summary>
    public void Set(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        bool existed = TryGet(name, out string? old);
        EventArguments arguments = existed
            ? EventArguments.Of(("feature", name), ("value", value), ("oldvalue", old))
            : EventArguments.Of(("feature", name), ("value", value));
        using ChangeScope scope = _owner.App.Changes.Enter();
        _owner.FirePre("domain-feature-pre-set:" + name, arguments);
        existed = TryGet(name, out old);
        Load(name, value);
        scope.RecordStored(
            () => Replace(name, value, old),
            new ChangeRecord(_owner.SubjectText, "feature " + name, old, value));
        _owner.Fire("domain-feature-set:" + name, arguments);
        scope.Done();
    }

    /// <summary>As <see cref="Set(string,string)"/> with the text of a boolean.</summary>
    public void Set(string name, bool value) => Set(name, value ? True : False);

    /// <summary>Removes a feature with its events.</summary>
    /// <exception cref="QubesException"><c>QubesFeatureNotFoundError</c>.</exception>
    public void Remove(string name)
    {
        using ChangeScope scope = _owner.App.Changes.Enter();

        // Despite its name this one walks in normal order, and it fires before the name is looked up.
        _owner.Fire("domain-feature-pre-delete:" + name, EventArguments.Of("feature", name));
        if (!TryGet(name, out string? old))
        {
            throw QubesErrors.FeatureNotFound(_owner.Name, name);
        }

        int at = _items!.IndexOf(name);
        RemoveItem(name);
        scope.RecordStored(
            () => Replace(name, current: null, old, at),
            new ChangeRecord(_owner.SubjectText, "feature " + name, old, After: null));
        _owner.Fire("domain-feature-delete:" + name, EventArguments.Of("feature", name));
        scope.Done();
    }

    /// <summary>Takes a feature of the store, or of a template at creation, without events.</summary>
    public void Load(string name, string value)
    {
        (_items ??= new(StringComparer.Ordinal))[name] = value;
        _owner.TouchStore(ModelAspect.Feature, name);
    }

    private void NoteRead(string name) => _owner.App.Changes.NoteRead(_owner, ModelAspect.Feature, name);

    /// <summary>Puts one value in the place of another, null for no such feature, unless it is yet another by now.</summary>
    /// <returns>What takes this back; null where nothing was done.</returns>
    private Redo? Replace(string name, string? current, string? wanted, int at = int.MaxValue)
    {
        if (_items?.GetValueOrDefault(name) != current)
        {
            return null;
        }

        if (wanted is null)
        {
            at = _items!.IndexOf(name);
        }

        Put(wanted);
        return () =>
        {
            string? before = _items!.GetValueOrDefault(name);
            if (current is null)
            {
                at = _items!.IndexOf(name);
            }

            Put(current);
            return () => Replace(name, current, before, at);
        };

        void Put(string? value)
        {
            if (value is null)
            {
                RemoveItem(name);
            }
            else if (_items!.ContainsKey(name))
            {
                Load(name, value);
            }
            else
            {
                _items.Insert(Math.Min(at, _items.Count), name, value);
                _owner.TouchStore(ModelAspect.Feature, name);
            }
        }
    }

    private void RemoveItem(string name)
    {
        _items!.Remove(name);
        _owner.TouchStore(ModelAspect.Feature, name);
    }

    private string? AtAdminVM(string name) => _owner is AdminVM ? null : _owner.App.Domains.AdminVM.Features.Get(name);

    // Chains have no loops (setters refuse them, loading repairs them); the bound is for the moment before the repair.
    private string? Follow(string name, Func<Qube, Qube?> next)
    {
        Qube? at = _owner;
        for (int i = 0; at is not null && i < _owner.App.MaxChainLength; i++, at = next(at))
        {
            if (at.Features.TryGet(name, out string? value))
            {
                return value;
            }
        }

        return null;
    }
}
