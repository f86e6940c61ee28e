using System.Globalization;
using System.Text;

namespace Qubes.Qrexec.Services;

/// <summary>
/// Parser of service configurations, a small subset of TOML.
/// <code>
///   line    = empty | "#" anything | key blanks "=" blanks value blanks [ "#" anything ]
///   key     = letter *( letter | digit | "." | "-" | "_" )
///   value   = "true" | "false" | decimal without leading zeros | "'" anything but "'" "'"
/// </code>
/// Lines end in LF or CRLF. Unknown keys are reported and ignored; a known key must not occur twice.
/// </summary>
public static class ServiceConfigurationParser
{
    private enum Kind
    {
        Bool,
        Number,
        Text,
    }

    private readonly record struct Value(Kind Kind, string Text);

    /// <exception cref="ServiceException">The file breaks the format; the message names the line.</exception>
    public static ServiceConfiguration Parse(ReadOnlySpan<byte> untrustedContent, Action<string>? warn = null)
    {
        if (untrustedContent.Contains((byte)0))
        {
            throw ServiceException.Problem("NUL byte in a service configuration");
        }

        ServiceConfiguration configuration = ServiceConfiguration.Default;
        HashSet<string> seen = [];
        int number = 0;

        // Latin-1 keeps each byte one character: only ASCII has a meaning here, other bytes may stand in comments and strings.
        string content = Encoding.Latin1.GetString(untrustedContent);
        foreach (string raw in content.Split('\n'))
        {
            number++;
            string line = raw.EndsWith('\r') ? raw[..^1] : raw;
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            (string key, Value value) = ParseLine(line, number);
            configuration = Apply(configuration, key, value, number, seen, warn);
        }

        if (configuration.ForceUser is not null && configuration.HasSocketSettings)
        {
            throw ServiceException.Problem("force-user can not be combined with settings of socket services");
        }

        return configuration;
    }

    private static (string Key, Value Value) ParseLine(string line, int number)
    {
        int at = 0;
        while (at < line.Length && (char.IsAsciiLetterOrDigit(line[at]) || line[at] is '.' or '-' or '_'))
        {
            at++;
        }

        if (at == 0 || !char.IsAsciiLetter(line[0]))
        {
            throw Bad(number, "a line must start with a letter");
        }

        string key = line[..at];
        SkipBlanks(line, ref at);
        if (at == line.Length || line[at] != '=')
        {
            throw Bad(number, "missing '='");
        }

        at++;
        SkipBlanks(line, ref at);
        Value value = ParseValue(line, ref at, number);
        SkipBlanks(line, ref at);
        return at == line.Length || line[at] == '#' ? (key, value) : throw Bad(number, "text after the value");
    }

    private static Value ParseValue(string line, ref int at, int number)
    {
        int start = at;
        if (at < line.Length && line[at] == '\'')
        {
            int end = line.IndexOf('\'', at + 1);
            if (end < 0 || string.CompareOrdinal(line, at, "'''", 0, 3) == 0)
            {
                throw Bad(number, "a string must stand between single quotes on one line");
            }

            at = end + 1;
            return new Value(Kind.Text, line[(start + 1)..end]);
        }

        while (at < line.Length && char.IsAsciiLetterOrDigit(line[at]))
        {
            at++;
        }

        string word = line[start..at];
        return word switch
        {
            "true" or "false" => new Value(Kind.Bool, word),
            _ when IsNumber(word) => new Value(Kind.Number, word),
            _ => throw Bad(number, "a value must be true, false, a decimal number or a 'string'"),
        };
    }

    private static bool IsNumber(string word) =>
        word.Length > 0 && (word.Length == 1 || word[0] != '0') && ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static ServiceConfiguration Apply(
        ServiceConfiguration configuration, string key, Value value, int number, HashSet<string> seen, Action<string>? warn)
    {
        if (key is not ("wait-for-session" or "force-user" or "skip-service-descriptor" or "exit-on-client-eof" or "exit-on-service-eof"))
        {
            warn?.Invoke($"line {number} of a service configuration: unknown key '{key}' ignored");
            return configuration;
        }

        if (!seen.Add(key))
        {
            throw Bad(number, $"'{key}' is set twice");
        }

        return key switch
        {
            "wait-for-session" => configuration with { WaitForSession = WaitForSession(value, number) },
            "force-user" when value.Kind == Kind.Text => configuration with { ForceUser = value.Text },
            "force-user" => throw Bad(number, "'force-user' needs a 'string'"),
            "skip-service-descriptor" => configuration with { SkipServiceDescriptor = Bool(key, value, number) },
            "exit-on-client-eof" => configuration with { ExitOnClientEof = Bool(key, value, number) },
            _ => configuration with { ExitOnServiceEof = Bool(key, value, number) },
        };
    }

    // The one key with a history: 0 and 1 were its values before the format had booleans.
    private static bool WaitForSession(Value value, int number) => value switch
    {
        { Kind: Kind.Number, Text: "0" } => false,
        { Kind: Kind.Number, Text: "1" } => true,
        _ => Bool("wait-for-session", value, number),
    };

    private static bool Bool(string key, Value value, int number) =>
        value.Kind == Kind.Bool ? value.Text == "true" : throw Bad(number, $"'{key}' needs true or false");

    private static void SkipBlanks(string line, ref int at)
    {
        while (at < line.Length && line[at] is ' ' or '\t')
        {
            at++;
        }
    }

    private static ServiceException Bad(int line, string what) =>
        ServiceException.Problem($"line {line} of a service configuration: {what}");
}
