using System.Globalization;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;

namespace Qubes.Model.Properties.Types;

/// <summary>A decimal number of 32 bits.</summary>
public sealed class IntType : PropertyType<int>
{
    public static readonly IntType Instance = new();

    public override string Word => PropertyTypeWord.Int;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) =>
        Narrow(PropertyPayload.ToInteger(PropertyPayload.ToAscii(untrustedPayload)));

    public override int Convert(PropertyHolder holder, PropertyDefinition property, object? input) => input switch
    {
        string text => Narrow(PropertyPayload.ToInteger(text)),
        long number => Narrow(number),
        _ => throw QubesErrors.InvalidPropertyValue(holder.HolderText, property.Name, "None"),
    };

    public override int Load(PropertyHolder holder, PropertyDefinition property, string text) => Narrow(PropertyPayload.ToInteger(text));

    public override string Format(int value) => value.ToString(CultureInfo.InvariantCulture);

    internal static int Narrow(long number) => number is >= int.MinValue and <= int.MaxValue
        ? (int)number
        : throw QubesErrors.Value("Failed to parse property value as int");
}
