namespace Qubes.Qrexec.CommandLine;

/// <summary>
/// Splits a command line as getopt_long does: <c>-abc</c>, <c>-pVALUE</c>, <c>-p VALUE</c>, <c>--name=VALUE</c>, <c>--name VALUE</c>, unambiguous
/// beginnings of long names, <c>--</c> as the end of options; options and positional arguments may be mixed.
/// </summary>
public static class OptionScanner
{
    /// <summary>Returns the options in their order and the positional arguments.</summary>
    /// <param name="stopAtPositional">The first positional argument ends the options.</param>
    /// <exception cref="UsageException">An unknown or ambiguous option, or a missing or superfluous value.</exception>
    public static (List<(string Name, string Value)> Options, List<string> Positional) Scan(
        IReadOnlyList<string> arguments, IReadOnlyList<OptionSpec> specs, bool stopAtPositional = false)
    {
        List<(string Name, string Value)> options = [];
        List<string> positional = [];
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            if (argument == "--" || (stopAtPositional && !IsOption(argument)))
            {
                positional.AddRange(arguments.Skip(argument == "--" ? i + 1 : i));
                break;
            }

            if (!IsOption(argument))
            {
                positional.Add(argument);
            }
            else if (argument.StartsWith("--", StringComparison.Ordinal))
            {
                ScanLong(arguments, ref i, specs, options);
            }
            else
            {
                ScanLetters(arguments, ref i, specs, options);
            }
        }

        return (options, positional);
    }

    private static bool IsOption(string argument) => argument.Length > 1 && argument[0] == '-';

    private static void ScanLong(IReadOnlyList<string> arguments, ref int i, IReadOnlyList<OptionSpec> specs, List<(string, string)> options)
    {
        string text = arguments[i][2..];
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? text : text[..equals];
        OptionSpec spec = FindLong(name, specs);
        if (!spec.HasValue && equals >= 0)
        {
            throw new UsageException($"option '--{spec.Name}' takes no value");
        }

        options.Add((spec.Name, !spec.HasValue ? "" : equals >= 0 ? text[(equals + 1)..] : Following(arguments, ref i, "--" + spec.Name)));
    }

    private static OptionSpec FindLong(string name, IReadOnlyList<OptionSpec> specs)
    {
        OptionSpec[] candidates = [.. specs.Where(s => s.Name.Length > 1 && s.Name.StartsWith(name, StringComparison.Ordinal))];
        OptionSpec? exact = Array.Find(candidates, s => s.Name == name);
        return exact ?? candidates switch
        {
            [OptionSpec only] => only,
            [] => throw new UsageException($"unknown option '--{name}'"),
            _ => throw new UsageException($"option '--{name}' is ambiguous"),
        };
    }

    private static void ScanLetters(IReadOnlyList<string> arguments, ref int i, IReadOnlyList<OptionSpec> specs, List<(string, string)> options)
    {
        string letters = arguments[i];
        for (int at = 1; at < letters.Length; at++)
        {
            char letter = letters[at];
            OptionSpec spec = specs.FirstOrDefault(s => s.Letter == letter) ?? throw new UsageException($"unknown option '-{letter}'");
            if (!spec.HasValue)
            {
                options.Add((spec.Name, ""));
                continue;
            }

            options.Add((spec.Name, at + 1 < letters.Length ? letters[(at + 1)..] : Following(arguments, ref i, $"-{letter}")));
            return;
        }
    }

    private static string Following(IReadOnlyList<string> arguments, ref int i, string option) =>
        ++i < arguments.Count ? arguments[i] : throw new UsageException($"option '{option}' needs a value");
}
