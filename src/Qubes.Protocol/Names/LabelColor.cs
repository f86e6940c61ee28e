using System.Text;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Names;

/// <summary>A label's colour, <c>0xRRGGBB</c> as it was written (hex digits of either case).</summary>
public readonly record struct LabelColor
{
    private readonly string? _value;

    private LabelColor(string value) => _value = value;

    public string Value => _value ?? "";

    /// <exception cref="QubesException"><c>QubesInvalidLabelValueError</c>; blanks around the value are dropped.</exception>
    public static LabelColor Parse(ReadOnlySpan<byte> untrustedColor)
    {
        if (!Ascii.IsValid(untrustedColor))
        {
            throw QubesErrors.InvalidLabelValue("Label value must be encoded in ASCII");
        }

        // A bounded copy is enough: anything longer than the blanks a person might leave is too long anyway.
        string text = Encoding.ASCII.GetString(untrustedColor[..Math.Min(untrustedColor.Length, 4096)]).Trim();
        return Check(text) is { } fault ? throw QubesErrors.InvalidLabelValue(fault) : new LabelColor(text);
    }

    public static bool TryParse(string untrustedColor, out LabelColor color)
    {
        bool valid = Check(untrustedColor) is null;
        color = valid ? new LabelColor(untrustedColor) : default;
        return valid;
    }

    private static string? Check(string text) => text.Length != 8 ? "Label value must have length of 8"
        : !text.StartsWith("0x", StringComparison.Ordinal) ? "Label value must start with: 0x"
        : text.AsSpan(2).ContainsAnyExcept(NameCharacters.HexDigits)
            ? $"Label value must only contain hexadecimal digits after prefix: {NameCharacters.HexDigitsText}"
        : null;

    public override string ToString() => Value;
}
