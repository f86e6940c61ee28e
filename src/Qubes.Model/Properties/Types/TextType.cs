using Qubes.Protocol.Properties;

namespace Qubes.Model.Properties.Types;

/// <summary>Printable text. None and the empty text print alike; an explicit value is never none.</summary>
public sealed class TextType : PropertyType<string?>
{
    public static readonly TextType Instance = new();

    public override string Word => PropertyTypeWord.Str;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) => PropertyPayload.ToText(untrustedPayload);

    public override string? Convert(PropertyHolder holder, PropertyDefinition property, object? input) =>
        input is null ? "" : Protocol.Events.EventValue.ToText(input);

    // An empty element is the empty text, not the word "None".
    public override string? Load(PropertyHolder holder, PropertyDefinition property, string text) => text;

    public override string Format(string? value) => value ?? "";
}
