using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Qubes.Protocol.Properties;

/// <summary>
/// The content of property replies.
/// <code>
/// Get          default=(True|False) SP type=WORD SP VALUE          VALUE runs to the end
/// GetDefault   type=WORD SP VALUE                                  empty: there is no default
/// GetAll       (NAME SP GET-CONTENT LF)*                           in GET-CONTENT: \ is \\, LF is \n
/// </code>
/// </summary>
public readonly record struct PropertyContent(bool IsDefault, string Type, string Value)
{
    private const int MaxTypeLength = 16;

    public static string FormatDefault(string type, string value) => $"type={type} {value}";

    /// <summary>Reads the content of a Get reply.</summary>
    public static bool TryParse(string untrustedContent, out PropertyContent content)
    {
        ArgumentNullException.ThrowIfNull(untrustedContent);
        content = default;
        string[] parts = untrustedContent.Split(' ', 3);
        if (parts.Length != 3 || parts[0] is not ("default=True" or "default=False") || !TryType(parts[1], out string? type))
        {
            return false;
        }

        content = new(parts[0] == "default=True", type, parts[2]);
        return true;
    }

    /// <summary>Reads the content of a GetDefault reply that is not empty.</summary>
    public static bool TryParseDefault(string untrustedContent, [NotNullWhen(true)] out string? type, [NotNullWhen(true)] out string? value)
    {
        ArgumentNullException.ThrowIfNull(untrustedContent);
        value = null;
        type = null;
        string[] parts = untrustedContent.Split(' ', 2);
        if (parts.Length != 2 || !TryType(parts[0], out type))
        {
            return false;
        }

        value = parts[1];
        return true;
    }

    /// <summary>Reads one line of GetAll, without its line feed.</summary>
    public static bool TryParseLine(string untrustedLine, [NotNullWhen(true)] out string? name, out PropertyContent content)
    {
        ArgumentNullException.ThrowIfNull(untrustedLine);
        content = default;
        name = null;
        int space = untrustedLine.IndexOf(' ', StringComparison.Ordinal);
        if (space <= 0 || !TryUnescape(untrustedLine[(space + 1)..], out string? text) || !TryParse(text, out content))
        {
            return false;
        }

        name = untrustedLine[..space];
        return true;
    }

    /// <summary>One line of GetAll with its line feed.</summary>
    public string FormatLine(string name) => $"{name} {Escape(ToString())}\n";

    public override string ToString() => $"default={(IsDefault ? "True" : "False")} type={Type} {Value}";

    internal static string Escape(string text) => text.AsSpan().ContainsAny('\\', '\n')
        ? text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)
        : text;

    internal static bool TryUnescape(string untrustedText, [NotNullWhen(true)] out string? text)
    {
        text = untrustedText;
        if (!untrustedText.Contains('\\'))
        {
            return true;
        }

        text = null;
        StringBuilder plain = new(untrustedText.Length);
        for (int i = 0; i < untrustedText.Length; i++)
        {
            if (untrustedText[i] != '\\')
            {
                plain.Append(untrustedText[i]);
                continue;
            }

            switch (++i < untrustedText.Length ? untrustedText[i] : '\0')
            {
                case '\\':
                    plain.Append('\\');
                    break;
                case 'n':
                    plain.Append('\n');
                    break;
                default:
                    return false;
            }
        }

        text = plain.ToString();
        return true;
    }

    private static bool TryType(string untrustedText, [NotNullWhen(true)] out string? type)
    {
        type = untrustedText.StartsWith("type=", StringComparison.Ordinal) && untrustedText.Length is > 5 and <= MaxTypeLength
            ? untrustedText[5..]
            : null;
        return type is not null;
    }
}
