using System.Globalization;
using System.Text;

namespace Qubes.Policy.SystemState;

/// <summary>
/// Writes JSON in the form the peers write it: ASCII only, <c>", "</c> and <c>": "</c> between items. Some of them compare bytes.
/// The writer only puts separators; nesting is the caller's.
/// </summary>
internal sealed class PythonJson
{
    private readonly StringBuilder _text = new();
    private bool _needsComma;

    public PythonJson Open(char bracket)
    {
        Separate();
        _text.Append(bracket);
        _needsComma = false;
        return this;
    }

    public PythonJson Close(char bracket)
    {
        _text.Append(bracket);
        _needsComma = true;
        return this;
    }

    public PythonJson Key(string key)
    {
        Separate();
        AppendQuoted(key);
        _text.Append(": ");
        _needsComma = false;
        return this;
    }

    public PythonJson Value(string? value)
    {
        Separate();
        if (value is null)
        {
            _text.Append("null");
        }
        else
        {
            AppendQuoted(value);
        }

        _needsComma = true;
        return this;
    }

    public PythonJson Value(bool value)
    {
        Separate();
        _text.Append(value ? "true" : "false");
        _needsComma = true;
        return this;
    }

    public PythonJson Values(IEnumerable<string> values)
    {
        Open('[');
        foreach (string value in values)
        {
            Value(value);
        }

        return Close(']');
    }

    public override string ToString() => _text.ToString();

    private void Separate()
    {
        if (_needsComma)
        {
            _text.Append(", ");
        }
    }

    private void AppendQuoted(string value)
    {
        _text.Append('"');
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' => _text.Append("\\\""),
                '\\' => _text.Append("\\\\"),
                '\n' => _text.Append("\\n"),
                '\r' => _text.Append("\\r"),
                '\t' => _text.Append("\\t"),
                '\b' => _text.Append("\\b"),
                '\f' => _text.Append("\\f"),
                < ' ' or > '~' => _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => _text.Append(c),
            };
        }

        _text.Append('"');
    }
}
