namespace Qubesd.StoreTools;

/// <summary>A command line of words and long options, in any order; behind <c>--</c> there are only words.</summary>
internal sealed class ToolArguments
{
    private readonly Dictionary<string, string?> _options = new(StringComparer.Ordinal);

    private ToolArguments()
    {
    }

    public List<string> Words { get; } = [];

    /// <param name="args">What was given.</param>
    /// <param name="switches">Options without a value.</param>
    /// <param name="valued">Options with one, as the next word or behind <c>=</c>.</param>
    /// <exception cref="UsageException">An option is unknown, or has no value or one too many.</exception>
    public static ToolArguments Parse(string[] args, string[] switches, string[] valued)
    {
        ToolArguments parsed = new();
        for (int i = 0; i < args.Length; i++)
        {
            string word = args[i];
            if (word == "--")
            {
                parsed.Words.AddRange(args[(i + 1)..]);
                break;
            }

            if (!word.StartsWith('-') || word == "-")
            {
                parsed.Words.Add(word);
                continue;
            }

            int equals = word.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? word : word[..equals];
            if (valued.Contains(name))
            {
                parsed._options[name] = equals >= 0 ? word[(equals + 1)..]
                    : ++i < args.Length ? args[i]
                    : throw new UsageException($"argument {name}: expected one argument");
            }
            else if (!switches.Contains(name))
            {
                throw new UsageException($"unrecognized arguments: {word}");
            }
            else if (equals >= 0)
            {
                throw new UsageException($"argument {name}: ignored explicit argument '{word[(equals + 1)..]}'");
            }
            else
            {
                parsed._options[name] = null;
            }
        }

        return parsed;
    }

    public bool Has(string option) => _options.ContainsKey(option);

    /// <summary>Null where it was not given.</summary>
    public string? Value(string option) => _options.GetValueOrDefault(option);

    /// <exception cref="UsageException">There are more words.</exception>
    public void RequireAtMost(int words)
    {
        if (Words.Count > words)
        {
            throw new UsageException($"unrecognized arguments: {string.Join(' ', Words.Skip(words))}");
        }
    }
}
