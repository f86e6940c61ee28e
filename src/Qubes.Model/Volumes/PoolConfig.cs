using Qubes.Protocol.Events;

namespace Qubes.Model.Volumes;

/// <summary>What the store keeps of one storage pool: name, driver, and the driver's options in order. Immutable.</summary>
public sealed record PoolConfig : IEventValue
{
    public required string Name { get; init; }

    /// <summary>The driver's name, such as <c>file-reflink</c>.</summary>
    public required string Driver { get; init; }

    /// <summary>All other attributes, in the order of the store (such as <c>dir_path</c>, <c>revisions_to_keep</c>).</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Options { get; init; } = [];

    /// <summary>The value of one option, or null.</summary>
    public string? this[string option]
    {
        get
        {
            foreach (KeyValuePair<string, string> pair in Options)
            {
                if (pair.Key == option)
                {
                    return pair.Value;
                }
            }

            return null;
        }
    }

    /// <summary>A copy with one option set, in place if it exists, else at the end; null takes it away.</summary>
    public PoolConfig With(string option, string? value)
    {
        List<KeyValuePair<string, string>> options = [.. Options];
        int at = options.FindIndex(pair => pair.Key == option);
        if (value is null)
        {
            options.RemoveAll(pair => pair.Key == option);
        }
        else if (at >= 0)
        {
            options[at] = new(option, value);
        }
        else
        {
            options.Add(new(option, value));
        }

        return this with { Options = options };
    }

    /// <inheritdoc/>
    public string EventText => Name;
}
