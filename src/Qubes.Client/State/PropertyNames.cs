namespace Qubes.Client.State;

/// <summary>The names of the properties of some qubes, in the daemon's order. Kept once for all qubes that have the same.</summary>
internal sealed class PropertyNames
{
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    public PropertyNames(IReadOnlyList<string> names)
    {
        All = names;
        for (int i = 0; i < names.Count; i++)
        {
            _places[names[i]] = i;
        }
    }

    public IReadOnlyList<string> All { get; }

    public bool TryFind(string name, out int place) => _places.TryGetValue(name, out place);
}
