using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Qubes.Model.Classes;

/// <summary>The classes of qubes a system has: the daemon's, and those others bring. They are known before the first qube is. Immutable.</summary>
public sealed class QubeClassSet
{
    private readonly FrozenDictionary<string, QubeClass> _byName;

    /// <param name="derived">Those others bring; no two of all have one name.</param>
    public QubeClassSet(IReadOnlyList<QubeClass> derived)
    {
        Derived = derived;
        All = [.. QubeClasses.All.Concat(derived).OrderBy(c => c.Name, StringComparer.Ordinal)];
        _byName = All.ToFrozenDictionary(c => c.Name, StringComparer.Ordinal);
    }

    /// <summary>All, by name.</summary>
    public IReadOnlyList<QubeClass> All { get; }

    /// <summary>Those that are not the daemon's.</summary>
    public IReadOnlyList<QubeClass> Derived { get; }

    public bool TryFind(string name, [NotNullWhen(true)] out QubeClass? found) => _byName.TryGetValue(name, out found);
}
