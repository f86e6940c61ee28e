using System.Globalization;

namespace Qvm.CommandLine;

/// <summary>
/// Parses command lines by the conventions users of these tools know from Python's argparse: <c>--opt VALUE</c>,
/// <c>--opt=VALUE</c>, <c>-oVALUE</c>, bundled flags, unambiguous abbreviations of long options, <c>--</c>, options
/// and positional arguments mixed. Libraries differ from it in abbreviations, in the exit status and texts of errors
/// and in how greedily lists take values, all of which scripts see.
/// </summary>
internal sealed class ArgumentParser
{
    private readonly List<Argument> _options = [];
    private readonly List<Argument> _positionals = [];
    private readonly Dictionary<string, Argument> _byName = new(StringComparer.Ordinal);

    public IReadOnlyList<Argument> Options => _options;

    public IReadOnlyList<Argument> Positionals => _positionals;

    /// <summary>The beginning of a long option may stand for it.</summary>
    public bool AllowsAbbreviations { get; set; } = true;

    /// <summary>Names of options of which at most one may be given.</summary>
    public List<string[]> ExclusiveKeys { get; } = [];

    public void Flag(string names, string key, string help, bool hidden = false) =>
        AddOption(new Argument { Names = names.Split(' '), Key = key, Arity = Arity.Flag, Help = help, IsHidden = hidden });

    public void Option(string names, string key, string help, Arity arity = Arity.One, string? placeholder = null, string[]? choices = null) =>
        AddOption(new Argument
        {
            Names = names.Split(' '), Key = key, Arity = arity, Help = help, Placeholder = placeholder, Choices = choices,
        });

    public void Positional(string name, string key, string help, Arity arity = Arity.One, string[]? choices = null) =>
        _positionals.Add(new Argument { Names = [name], Key = key, Arity = arity, Help = help, Choices = choices });

    /// <exception cref="UsageException">The command line breaks a rule.</exception>
    public ParsedArguments Parse(IReadOnlyList<string> words)
    {
        ParsedArguments result = new();
        List<string> loose = [];
        bool remainder = _positionals.Exists(p => p.Arity == Arity.Remainder);
        int needed = _positionals.Count - 1;
        bool seenDashes = false;
        int i = 0;
        while (i < words.Count)
        {
            // Once the positional arguments before it are there, the rest of the line is the remainder.
            if (remainder && loose.Count >= needed)
            {
                loose.AddRange(words.Skip(i));
                break;
            }

            string word = words[i++];
            if (word == "--" && !seenDashes)
            {
                seenDashes = true;
                if (!remainder)
                {
                    loose.AddRange(words.Skip(i));
                    break;
                }
            }
            else if (seenDashes || !LooksLikeOption(word))
            {
                loose.Add(word);
            }
            else
            {
                ParseOption(word, words, ref i, result);
            }
        }

        Distribute(loose, result);
        foreach (string[] keys in ExclusiveKeys)
        {
            string[] given = [.. keys.Where(result.Has)];
            if (given.Length > 1)
            {
                throw new UsageException($"argument {Named(given[1])}: not allowed with argument {Named(given[0])}");
            }
        }

        return result;
    }

    private string Named(string key) => (_options.Find(o => o.Key == key) ?? _positionals.First(p => p.Key == key)).Display;

    // A negative number is a value, a dash alone is a value, and so is a word with a blank in it.
    private bool LooksLikeOption(string word) =>
        word.Length > 1 && word[0] == '-'
        && !double.TryParse(word, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _)
        && (!word.Contains(' ') || _byName.ContainsKey(word.Split('=', 2)[0]) || word[1] != '-' && _byName.ContainsKey(word[..2]));

    private void ParseOption(string word, IReadOnlyList<string> words, ref int i, ParsedArguments result)
    {
        if (word.StartsWith("--", StringComparison.Ordinal))
        {
            string[] parts = word.Split('=', 2);
            Argument option = FindLong(parts[0]);
            TakeValues(option, parts.Length == 2 ? parts[1] : null, words, ref i, result);
            return;
        }

        // -abVALUE: flags until the first option that takes a value.
        for (int at = 1; at < word.Length; at++)
        {
            if (!_byName.TryGetValue($"-{word[at]}", out Argument? option))
            {
                throw new UsageException($"unrecognized arguments: {word}");
            }

            if (option.Arity != Arity.Flag)
            {
                string? value = at + 1 < word.Length ? word[(at + 1)..].TrimStart('=') : null;
                TakeValues(option, value, words, ref i, result);
                return;
            }

            result.Add(option.Key, []);
        }
    }

    private Argument FindLong(string name)
    {
        if (_byName.TryGetValue(name, out Argument? exact))
        {
            return exact;
        }

        string[] matches = [.. _byName.Keys.Where(k => AllowsAbbreviations && k.StartsWith(name, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        return matches.Select(m => _byName[m]).Distinct().ToArray() switch
        {
            [Argument only] => only,
            [] => throw new UsageException($"unrecognized arguments: {name}"),
            _ => throw new UsageException($"ambiguous option: {name} could match {string.Join(", ", matches)}"),
        };
    }

    private void TakeValues(Argument option, string? attached, IReadOnlyList<string> words, ref int i, ParsedArguments result)
    {
        List<string> values = [];
        switch (option.Arity)
        {
            case Arity.Flag when attached is not null:
                throw new UsageException($"argument {option.Display}: ignored explicit argument '{attached}'");
            case Arity.Flag:
                break;
            case var _ when attached is not null:
                values.Add(attached);
                break;
            case Arity.One or Arity.Optional:
                if (i < words.Count && words[i] != "--" && !LooksLikeOption(words[i]))
                {
                    values.Add(words[i++]);
                }
                else if (option.Arity == Arity.One)
                {
                    throw new UsageException($"argument {option.Display}: expected one argument");
                }

                break;
            default:
                while (i < words.Count && words[i] != "--" && !LooksLikeOption(words[i]))
                {
                    values.Add(words[i++]);
                }

                if (values.Count == 0)
                {
                    throw new UsageException($"argument {option.Display}: expected at least one argument");
                }

                break;
        }

        CheckChoices(option, values);
        result.Add(option.Key, values);
    }

    private void Distribute(List<string> loose, ParsedArguments result)
    {
        int at = 0;
        for (int p = 0; p < _positionals.Count; p++)
        {
            Argument positional = _positionals[p];
            int left = loose.Count - at;
            int neededLater = _positionals.Skip(p + 1).Count(l => l.Arity is Arity.One or Arity.OneOrMore);
            int take = positional.Arity switch
            {
                Arity.One => Math.Min(1, left),
                Arity.Optional => left > neededLater ? 1 : 0,
                _ => Math.Max(0, left - neededLater),
            };
            if (take == 0)
            {
                continue;
            }

            List<string> values = loose.GetRange(at, take);
            at += take;
            CheckChoices(positional, values);
            result.Add(positional.Key, values);
        }

        string[] missing = [.. _positionals.Where(p => p.Arity is Arity.One or Arity.OneOrMore && !result.Has(p.Key)).Select(p => p.Names[0])];
        if (missing.Length > 0)
        {
            throw new UsageException($"the following arguments are required: {string.Join(", ", missing)}");
        }

        if (at < loose.Count)
        {
            throw new UsageException($"unrecognized arguments: {string.Join(' ', loose.Skip(at))}");
        }
    }

    private static void CheckChoices(Argument argument, List<string> values)
    {
        if (argument.Choices is { } choices && values.Find(v => !choices.Contains(v)) is { } wrong)
        {
            throw new UsageException(
                $"argument {argument.Display}: invalid choice: '{wrong}' (choose from {string.Join(", ", choices.Select(c => $"'{c}'"))})");
        }
    }

    private void AddOption(Argument option)
    {
        _options.Add(option);
        foreach (string name in option.Names)
        {
            _byName.Add(name, option);
        }
    }
}
