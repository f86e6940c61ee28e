using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Qubes.Model.Changes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Model.Labels;

/// <summary>The labels by index and name.</summary>
public sealed class LabelSet
{
    /// <summary>Labels up to this index are built in and cannot be removed.</summary>
    public const int MaxBuiltInIndex = 8;

    private readonly QubesApp _app;
    private readonly SortedDictionary<int, Label> _byIndex = [];

    // Made by changes that did not hold yet when they were made; rarely more than one.
    private readonly List<(Label Label, ModelChange Change)> _making = [];

    // Removed by changes that do not hold yet: their names and numbers are not given away.
    private readonly List<(Label Label, ModelChange Change)> _leaving = [];

    internal LabelSet(QubesApp app) => _app = app;

    /// <summary>The labels every new store begins with.</summary>
    public static IReadOnlyList<Label> BuiltIn { get; } =
    [
        new(1, "red", "0xcc0000"), new(2, "orange", "0xf57900"), new(3, "yellow", "0xedd400"), new(4, "green", "0x73d216"),
        new(5, "gray", "0x555555"), new(6, "blue", "0x3465a4"), new(7, "purple", "0x75507b"), new(8, "black", "0x000000"),
    ];

    /// <summary>All, by index.</summary>
    public IReadOnlyCollection<Label> All => _byIndex.Values;

    public int Count => _byIndex.Count;

    /// <summary>
    /// All but those whose change is not with the store yet and may still be taken back: the store leaves them out until it is, as it does
    /// qubes (<see cref="Classes.Qube.IsBeingMade"/>).
    /// </summary>
    public IEnumerable<Label> Settled => _byIndex.Values.Where(label => !IsBeingMade(label));

    /// <summary>Finds a label by name, or by a text that is its decimal index: not one that another call is still making.</summary>
    public bool TryFind(string untrustedLabel, [NotNullWhen(true)] out Label? label)
    {
        foreach (Label candidate in _byIndex.Values)
        {
            if (candidate.Name == untrustedLabel)
            {
                label = candidate;
                return IsKnownHere(ref label);
            }
        }

        label = null;
        return int.TryParse(untrustedLabel, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            && _byIndex.TryGetValue(index, out label) && IsKnownHere(ref label);
    }

    /// <exception cref="QubesException"><c>QubesLabelNotFoundError</c>.</exception>
    public Label Find(string untrustedLabel) =>
        TryFind(untrustedLabel, out Label? label) ? label : throw QubesErrors.LabelNotFound(untrustedLabel);

    /// <summary>As <see cref="Find"/>, and <c>label-INDEX</c>, the form of old stores.</summary>
    public Label FindForAssignment(string untrustedLabel)
    {
        ArgumentNullException.ThrowIfNull(untrustedLabel);
        return untrustedLabel.StartsWith("label-", StringComparison.Ordinal)
            && int.TryParse(untrustedLabel.AsSpan(6), NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            && _byIndex.TryGetValue(index, out Label? label)
                ? label
                : Find(untrustedLabel);
    }

    /// <summary>Creates a label with the next index.</summary>
    /// <exception cref="QubesException">The name is taken.</exception>
    public Label Create(LabelName name, LabelColor color)
    {
        using ChangeScope scope = _app.Changes.Enter();
        Label[] taken = [.. _byIndex.Values, .. LeavingElsewhere()];
        if (taken.Any(label => label.Name == name.Value) || TryFind(name, out _))
        {
            throw QubesErrors.LabelAlreadyExists(name);
        }

        Label label = new(Math.Max(MaxBuiltInIndex, taken.Select(label => label.Index).DefaultIfEmpty().Max()) + 1, name, color.Value);
        Load(label);
        scope.Record(
            () =>
            {
                Drop(label);
                _making.RemoveAll(making => ReferenceEquals(making.Label, label));
            },
            new ChangeRecord("", "label " + name, Before: null, color.Value));
        ModelChange making = _app.Changes.Current!;
        _making.Add((label, making));
        making.Defer(() => _making.RemoveAll(made => ReferenceEquals(made.Label, label)));
        scope.Done();
        return label;
    }

    /// <summary>Removes a label that is not built in and that no qube has.</summary>
    public void Remove(Label label)
    {
        ArgumentNullException.ThrowIfNull(label);
        if (label.Index <= MaxBuiltInIndex)
        {
            throw QubesErrors.Protocol("Can only remove custom labels");
        }

        if (_app.Domains.Any(qube => label.Equals(qube.Label)))
        {
            throw QubesErrors.LabelInUse(label.Name);
        }

        using ChangeScope scope = _app.Changes.Enter();
        Drop(label);
        scope.RecordStored(
            () => PutBack(label),
            new ChangeRecord("", "label " + label.Name, label.Color, After: null));
        _leaving.RemoveAll(left => left.Change.State != ChangeState.Open);
        _leaving.Add((label, _app.Changes.Current!));
        scope.Done();
    }

    /// <summary>Adds a label of the store, without any check but that of the index and the name.</summary>
    public void Load(Label label)
    {
        ArgumentNullException.ThrowIfNull(label);
        _byIndex[label.Index] = label;
        _app.TouchStore(ModelAspect.Labels);
    }

    private Redo PutBack(Label label)
    {
        Load(label);
        return () =>
        {
            Drop(label);
            return () => PutBack(label);
        };
    }

    private void Drop(Label label)
    {
        _byIndex.Remove(label.Index);
        _app.TouchStore(ModelAspect.Labels);
    }

    private IEnumerable<Label> LeavingElsewhere() =>
        _leaving.Where(left => left.Change.State == ChangeState.Open && left.Change != _app.Changes.Current).Select(left => left.Label);

    private bool IsBeingMade(Label label) =>
        _making.Exists(making => ReferenceEquals(making.Label, label) && making.Change.IsPending);

    private bool IsKnownHere([NotNullWhen(true)] ref Label? label)
    {
        Label? found = label;
        if (found is not null && IsBeingMade(found) && !_app.Changes.IsWithin(_making.Find(making => ReferenceEquals(making.Label, found)).Change))
        {
            label = null;
        }

        return label is not null;
    }
}
