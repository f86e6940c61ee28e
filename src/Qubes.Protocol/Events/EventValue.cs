using System.Collections;
using System.Globalization;
using System.Net;
using System.Text;
using Qubes.Protocol.Names;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Events;

/// <summary>
/// The text of an event keyword's value: nothing is <c>None</c>, booleans <c>True</c>/<c>False</c>, objects their
/// <see cref="IEventValue.EventText"/>, maps and lists as Python prints them.
/// </summary>
public static class EventValue
{
    public static string ToText(object? value) => value switch
    {
        null => "None",
        string text => text,
        bool flag => PythonText.Bool(flag),
        IEventValue known => known.EventText,
        int number => number.ToString(CultureInfo.InvariantCulture),
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => FloatText(number),
        QubeUuid uuid => uuid.ToString(),
        IPAddress address => address.ToString(),
        IEnumerable<KeyValuePair<string, string>> map => MapText(map),
        IEnumerable list => ListText(list),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    /// <summary>A floating point number as Python prints it: always with a fraction or an exponent.</summary>
    private static string FloatText(double number)
    {
        string text = number.ToString("R", CultureInfo.InvariantCulture);
        return double.IsFinite(number) && !text.AsSpan().ContainsAny('.', 'E') ? text + ".0" : text;
    }

    private static string MapText(IEnumerable<KeyValuePair<string, string>> map)
    {
        StringBuilder text = new("{");
        foreach ((string key, string item) in map)
        {
            text.Append(text.Length > 1 ? ", " : "").Append(PythonText.Repr(key)).Append(": ").Append(PythonText.Repr(item));
        }

        return text.Append('}').ToString();
    }

    private static string ListText(IEnumerable list)
    {
        StringBuilder text = new("[");
        foreach (object? item in list)
        {
            text.Append(text.Length > 1 ? ", " : "").Append(item is string s ? PythonText.Repr(s) : ToText(item));
        }

        return text.Append(']').ToString();
    }
}
