using System.Globalization;
using Qubes.Protocol.Errors;

namespace Qubes.Client;

/// <summary>A property as the daemon reports it.</summary>
/// <param name="IsDefault">No value is stored: this is the default in effect.</param>
/// <param name="Type">Type word: <c>str</c>, <c>int</c>, <c>bool</c>, <c>vm</c> or <c>label</c>.</param>
/// <param name="Raw">The value as sent; empty for none.</param>
public sealed record PropertyValue(bool IsDefault, string Type, string Raw)
{
    /// <summary>An int or bool without a value: to a client the property is not there.</summary>
    public bool IsUnset => Raw.Length == 0 && (Type is "int" or "bool");

    /// <summary>A reference to nothing.</summary>
    public bool IsNone => Raw.Length == 0 && (Type is "vm" or "label");

    public bool AsBool => Raw == "True";

    public long? AsInt => long.TryParse(Raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : null;

    // Get:    "default=" ("True"/"False") SP "type=" word SP value
    // GetAll: the same after the property's name and a SP

    /// <summary>Reads the content of <c>property.Get</c>.</summary>
    public static PropertyValue Parse(string content)
    {
        string[] parts = content.Split(' ', 3);
        if (parts.Length != 3 || !parts[1].StartsWith("type=", StringComparison.Ordinal)
            || parts[0] is not ("default=True" or "default=False"))
        {
            throw ClientErrors.Communication($"Unexpected property value: {content}");
        }

        string type = parts[1]["type=".Length..];
        return type is "str" or "int" or "bool" or "vm" or "label"
            ? new PropertyValue(parts[0] == "default=True", type, parts[2])
            : throw ClientErrors.Communication($"Received invalid value type: {type}");
    }

    /// <summary>Reads the content of <c>property.GetAll</c>: a line a property, <c>\n</c> and <c>\\</c> escaped in it.</summary>
    /// <exception cref="QubesException">The text is not of that form.</exception>
    public static IReadOnlyDictionary<string, PropertyValue> ParseAll(string content)
    {
        Dictionary<string, PropertyValue> values = new(StringComparer.Ordinal);
        foreach (string line in content.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string text = line.Contains('\\') ? Unescape(line) : line;
            int space = text.IndexOf(' ', StringComparison.Ordinal);
            if (space <= 0)
            {
                throw ClientErrors.Communication($"Unexpected property line: {line}");
            }

            values[text[..space]] = Parse(text[(space + 1)..]);
        }

        return values;
    }

    private static string Unescape(string line)
    {
        System.Text.StringBuilder text = new(line.Length);
        for (int i = 0; i < line.Length; i++)
        {
            if (line[i] != '\\')
            {
                text.Append(line[i]);
                continue;
            }

            text.Append(i + 1 < line.Length ? line[++i] switch
            {
                'n' => '\n',
                '\\' => '\\',
                _ => throw ClientErrors.Communication($"Unknown escape in property line: {line}"),
            }
            : throw ClientErrors.Communication($"Unknown escape in property line: {line}"));
        }

        return text.ToString();
    }
}
