namespace Qubes.Model.Events;

/// <summary>An event's keywords in the order in which they are passed; absent and null are different things.</summary>
public readonly struct EventArguments
{
    private readonly KeyValuePair<string, object?>[]? _items;

    private EventArguments(KeyValuePair<string, object?>[] items) => _items = items;

    /// <summary>No keywords.</summary>
    public static EventArguments None => default;

    public ReadOnlySpan<KeyValuePair<string, object?>> Items => _items;

    /// <summary>The value of a keyword; null also if it is absent (see <see cref="TryGet"/>).</summary>
    public object? this[string key] => TryGet(key, out object? value) ? value : null;

    public static EventArguments Of(string key, object? value) => new([new(key, value)]);

    public static EventArguments Of(params ReadOnlySpan<(string Key, object? Value)> items)
    {
        KeyValuePair<string, object?>[] copy = new KeyValuePair<string, object?>[items.Length];
        for (int i = 0; i < items.Length; i++)
        {
            copy[i] = new(items[i].Key, items[i].Value);
        }

        return new(copy);
    }

    public bool TryGet(string key, out object? value)
    {
        foreach (KeyValuePair<string, object?> item in Items)
        {
            if (item.Key == key)
            {
                value = item.Value;
                return true;
            }
        }

        value = null;
        return false;
    }
}
