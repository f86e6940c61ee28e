using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Qubes.Client.State;

/// <summary>Properties as they were told, without a table for each qube: the names are shared.</summary>
/// <param name="names">The names.</param>
/// <param name="values">A value for each, in the same order.</param>
internal sealed class PropertySet(PropertyNames names, StateProperty[] values) : IReadOnlyDictionary<string, StateProperty>
{
    public int Count => values.Length;

    public IEnumerable<string> Keys => names.All;

    public IEnumerable<StateProperty> Values => values;

    public StateProperty this[string key] => TryGetValue(key, out StateProperty? value) ? value : throw new KeyNotFoundException(key);

    public bool ContainsKey(string key) => names.TryFind(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StateProperty value)
    {
        value = names.TryFind(key, out int place) ? values[place] : null;
        return value is not null;
    }

    public IEnumerator<KeyValuePair<string, StateProperty>> GetEnumerator()
    {
        for (int i = 0; i < values.Length; i++)
        {
            yield return new(names.All[i], values[i]);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
