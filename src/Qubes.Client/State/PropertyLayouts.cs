using System.Text.Json;

namespace Qubes.Client.State;

/// <summary>The layouts met in one state: qubes of a class have the same properties.</summary>
internal sealed class PropertyLayouts
{
    private readonly Dictionary<string, PropertyLayout> _byClass = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, StateProperty> Read(string qubeClass, JsonElement properties)
    {
        if (_byClass.TryGetValue(qubeClass, out PropertyLayout? known) && known.TryRead(properties) is { } set)
        {
            return set;
        }

        PropertyLayout layout = new(properties);
        _byClass[qubeClass] = layout;
        return layout.TryRead(properties)!;
    }
}
