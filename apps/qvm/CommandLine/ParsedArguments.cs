namespace Qvm.CommandLine;

/// <summary>What a command line gave, by <see cref="Argument.Key"/>.</summary>
internal sealed class ParsedArguments
{
    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>How often the argument was given.</summary>
    public int Count(string key) => _counts.GetValueOrDefault(key);

    public bool Has(string key) => Count(key) > 0;

    /// <summary>All values, in the order given; of options given several times, those of all occurrences.</summary>
    public IReadOnlyList<string> All(string key) => _values.TryGetValue(key, out List<string>? values) ? values : [];

    /// <summary>The last value, or null.</summary>
    public string? Last(string key) => All(key) is [.., string last] ? last : null;

    public string Required(string key) => Last(key) ?? throw new InvalidOperationException($"{key} was not required");

    internal void Add(string key, IEnumerable<string> values)
    {
        _counts[key] = Count(key) + 1;
        if (!_values.TryGetValue(key, out List<string>? list))
        {
            _values[key] = list = [];
        }

        list.AddRange(values);
    }
}
