using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.Properties;

namespace Qubes.Model.Properties.Types;

/// <summary>A qube's own name; word <c>str</c>.</summary>
public sealed class QubeNameType : PropertyType<QubeName>
{
    public static readonly QubeNameType Instance = new();

    public override string Word => PropertyTypeWord.Str;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) => PropertyPayload.ToText(untrustedPayload);

    public override QubeName Convert(PropertyHolder holder, PropertyDefinition property, object? input) => input is string text
        ? QubeName.Parse(text)
        : throw QubesErrors.InvalidPropertyValue(holder.HolderText, property.Name, "None");

    public override QubeName Load(PropertyHolder holder, PropertyDefinition property, string text) => QubeName.Parse(text);

    public override string Format(QubeName value) => value.Value;
}
