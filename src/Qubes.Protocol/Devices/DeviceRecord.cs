using System.Buffers;
using System.Globalization;
using System.Text;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Devices;

/// <summary>The properties of a device or an assignment as they travel, and the codec of their text.</summary>
public sealed class DeviceRecord
{
    private const string KeyCharacters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&()*+,-./:;<>?@[\\]^_{|}~";
    private const string ValueOnlyCharacters = " \"'=`";
    private const string Opening = "='";
    private const string Closing = "' ";

    private static readonly SearchValues<char> Key = SearchValues.Create(KeyCharacters);
    private static readonly SearchValues<char> Value = SearchValues.Create(KeyCharacters + ValueOnlyCharacters);

    private readonly Dictionary<string, string> _properties = new(StringComparer.Ordinal);
    private readonly List<KeyValuePair<string, string>> _options = [];

    private DeviceRecord()
    {
    }

    public IReadOnlyDictionary<string, string> Properties => _properties;

    /// <summary>What was marked as option (data, for a device), without the mark, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Options => _options;

    // record = [ pair *( SP pair ) ]
    // pair   = key "='" value "'"        in the value ' is written \' ; a backslash stands for itself
    // key    = 1*( printable ASCII but SP " ' = ` ), an option's with one more '_' in front

    /// <summary>Appends one pair, after a blank unless it is the first.</summary>
    /// <exception cref="ProtocolErrorException">It has characters that do not travel.</exception>
    public static void Append(StringBuilder record, string key, string value)
    {
        ArgumentNullException.ThrowIfNull(record);
        Check(key, Key, "name");
        Check(value, Value, "value");
        if (record.Length > 0)
        {
            record.Append(' ');
        }

        record.Append(key).Append(Opening).Append(value.Replace("'", "\\'", StringComparison.Ordinal)).Append('\'');
    }

    /// <summary>
    /// As <see cref="Append"/>, with <c>_</c> for each character that does not travel: for what a listing tells of others, which one
    /// odd name must not end.
    /// </summary>
    public static void AppendText(StringBuilder record, string key, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Append(record, key, string.Create(value.Length, value, static (text, from) =>
        {
            for (int i = 0; i < text.Length; i++)
            {
                text[i] = Value.Contains(from[i]) ? from[i] : '_';
            }
        }));
    }

    /// <summary>Reads a record. Of a repeated key the last one counts.</summary>
    /// <exception cref="ProtocolErrorException">It is none.</exception>
    public static DeviceRecord Parse(ReadOnlySpan<byte> untrustedRecord) => Ascii.IsValid(untrustedRecord)
        ? Parse(Encoding.ASCII.GetString(untrustedRecord))
        : throw QubesErrors.Protocol("Device record contains non-ASCII characters");

    /// <inheritdoc cref="Parse(ReadOnlySpan{byte})"/>
    public static DeviceRecord Parse(string untrustedRecord)
    {
        ArgumentNullException.ThrowIfNull(untrustedRecord);
        DeviceRecord record = new();
        ReadOnlySpan<char> rest = untrustedRecord.AsSpan().Trim();
        if (rest.IsEmpty)
        {
            return record;
        }

        int opening = rest.IndexOf(Opening, StringComparison.Ordinal);
        if (opening < 0)
        {
            throw Malformed("a name has no value");
        }

        ReadOnlySpan<char> key = rest[..opening];
        rest = rest[(opening + Opening.Length)..];
        while (TryFindNext(rest, out int valueLength, out int keyEnd))
        {
            record.Add(key, rest[..valueLength]);
            key = rest[(valueLength + Closing.Length)..keyEnd];
            rest = rest[(keyEnd + Opening.Length)..];
        }

        if (rest is not [.., '\''])
        {
            throw Malformed("the last value has no end");
        }

        record.Add(key, rest[..^1]);
        return record;
    }

    /// <summary>
    /// Finds where the value at the beginning ends because another pair follows. As quotes are marked but the mark is not, a value's end
    /// is told by what comes after: the last quote and blank before the next <c>='</c>.
    /// </summary>
    private static bool TryFindNext(ReadOnlySpan<char> text, out int valueLength, out int keyEnd)
    {
        (valueLength, keyEnd) = (0, 0);
        for (int from = 0; text[from..].IndexOf(Opening, StringComparison.Ordinal) is var at and >= 0;)
        {
            keyEnd = from + at;
            valueLength = text[..keyEnd].LastIndexOf(Closing, StringComparison.Ordinal);
            if (valueLength >= 0)
            {
                return true;
            }

            // No pair begins here: this value itself ends in '=', or another one begins without a blank in between.
            if (HasBareQuote(text[..keyEnd]))
            {
                throw Malformed("quote in a name");
            }

            from = keyEnd + Opening.Length;
        }

        return false;
    }

    private static bool HasBareQuote(ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\'' && (i == 0 || text[i - 1] != '\\'))
            {
                return true;
            }
        }

        return false;
    }

    private static void Check(ReadOnlySpan<char> text, SearchValues<char> allowed, string what)
    {
        if (!text.ContainsAnyExcept(allowed))
        {
            return;
        }

        SortedSet<char> invalid = [];
        foreach (char c in text)
        {
            if (!allowed.Contains(c))
            {
                invalid.Add(c);
            }
        }

        string set = string.Join(", ", invalid.Select(c => Text.PythonText.Repr(c.ToString(CultureInfo.InvariantCulture))));
        throw QubesErrors.Protocol($"Invalid chars in property {what}: {{{set}}}");
    }

    private static ProtocolErrorException Malformed(string why) => QubesErrors.Protocol($"Malformed device record: {why}");

    private void Add(ReadOnlySpan<char> untrustedKey, ReadOnlySpan<char> untrustedValue)
    {
        ReadOnlySpan<char> key = untrustedKey.Trim();
        string value = untrustedValue.ToString().Replace("\\'", "'", StringComparison.Ordinal);
        Check(key, Key, "name");
        Check(value, Value, "value");
        if (key.IsEmpty)
        {
            throw Malformed("a value has no name");
        }

        if (key[0] != '_')
        {
            _properties[key.ToString()] = value;
            return;
        }

        string option = key[1..].ToString();
        int at = _options.FindIndex(o => o.Key == option);
        if (at < 0)
        {
            _options.Add(new(option, value));
        }
        else
        {
            _options[at] = new(option, value);
        }
    }
}
