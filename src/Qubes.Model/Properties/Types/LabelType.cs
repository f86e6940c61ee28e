using Qubes.Model.Labels;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;

namespace Qubes.Model.Properties.Types;

/// <summary>A label: accepted by name, decimal index or <c>label-INDEX</c>, printed by name.</summary>
public sealed class LabelType : PropertyType<Label>
{
    public static readonly LabelType Instance = new();

    public override string Word => PropertyTypeWord.Label;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) => PropertyPayload.ToText(untrustedPayload);

    public override Label Convert(PropertyHolder holder, PropertyDefinition property, object? input) => input is string text
        ? holder.App.Labels.FindForAssignment(text)
        : throw QubesErrors.InvalidPropertyValue(holder.HolderText, property.Name, "None");

    public override Label Load(PropertyHolder holder, PropertyDefinition property, string text) =>
        holder.App.Labels.FindForAssignment(text);

    public override string Format(Label value) => value.Name;
}
