using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Qubes.Model.Properties;

/// <summary>The properties of one class of holders: found by name, and in list order (stage, order, name).</summary>
public sealed class PropertyTable
{
    private readonly FrozenDictionary<string, PropertyDefinition> _byName;

    /// <param name="definitions">The class's own and inherited properties. Of several with one name the first counts.</param>
    public PropertyTable(params IEnumerable<PropertyDefinition> definitions)
    {
        InListOrder =
        [
            .. definitions.DistinctBy(d => d.Name, StringComparer.Ordinal)
                .OrderBy(d => d.Stage).ThenBy(d => d.Order).ThenBy(d => d.Name, StringComparer.Ordinal),
        ];
        _byName = InListOrder.ToFrozenDictionary(d => d.Name, StringComparer.Ordinal);
        References = [.. InListOrder.Where(d => d.IsReference)];
    }

    public ImmutableArray<PropertyDefinition> InListOrder { get; }

    /// <summary>Those that refer to qubes.</summary>
    public ImmutableArray<PropertyDefinition> References { get; }

    public bool TryFind(string name, [NotNullWhen(true)] out PropertyDefinition? definition) =>
        _byName.TryGetValue(name, out definition);

    public bool Contains(string name) => _byName.ContainsKey(name);
}
