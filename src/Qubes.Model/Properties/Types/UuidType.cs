using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.Properties;

namespace Qubes.Model.Properties.Types;

/// <summary>A UUID, canonical lower-case; word <c>str</c>.</summary>
public sealed class UuidType : PropertyType<QubeUuid>
{
    public static readonly UuidType Instance = new();

    public override string Word => PropertyTypeWord.Str;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) =>
        PropertyPayload.ToUuid(PropertyPayload.ToAscii(untrustedPayload));

    public override QubeUuid Convert(PropertyHolder holder, PropertyDefinition property, object? input) => input is string text
        ? PropertyPayload.ToUuid(text)
        : throw QubesErrors.InvalidPropertyValue(holder.HolderText, property.Name, "None");

    public override QubeUuid Load(PropertyHolder holder, PropertyDefinition property, string text) => PropertyPayload.ToUuid(text);

    public override string Format(QubeUuid value) => value.ToString();
}
