using System.Globalization;
using Qubes.Protocol.Properties;

namespace Qubes.Model.Properties.Types;

/// <summary>A decimal number of 64 bits whose default is none; only a reset leads back there. An empty store element is none.</summary>
public sealed class OptionalIntType : PropertyType<long?>
{
    public static readonly OptionalIntType Instance = new();

    public override string Word => PropertyTypeWord.Int;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) =>
        PropertyPayload.ToInteger(PropertyPayload.ToAscii(untrustedPayload));

    public override long? Convert(PropertyHolder holder, PropertyDefinition property, object? input) => input switch
    {
        string text => PropertyPayload.ToInteger(text),
        int number => number,
        _ => null,
    };

    public override long? Load(PropertyHolder holder, PropertyDefinition property, string text) =>
        text.Length == 0 ? null : PropertyPayload.ToInteger(text);

    public override string Format(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";
}
