using Qubes.Protocol.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;

namespace Qubes.Model.Properties.Types;

/// <summary>A number with a fraction, word <c>str</c>; only computed properties have it.</summary>
public sealed class FloatType : PropertyType<double?>
{
    public static readonly FloatType Instance = new();

    public override string Word => PropertyTypeWord.Str;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) => PropertyPayload.ToText(untrustedPayload);

    public override double? Convert(PropertyHolder holder, PropertyDefinition property, object? input) =>
        throw QubesErrors.PropertyCannotBeSet(property.Name, holder.EmitterClass.Name);

    public override double? Load(PropertyHolder holder, PropertyDefinition property, string text) =>
        throw QubesErrors.PropertyCannotBeSet(property.Name, holder.EmitterClass.Name);

    public override string Format(double? value) => value is { } number ? EventValue.ToText(number) : "";
}
