using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;
using Qubes.Protocol.Text;

namespace Qubes.Model.Properties.Types;

/// <summary><c>True</c>/<c>False</c>; an empty store element is false.</summary>
public sealed class BoolType : PropertyType<bool>
{
    public static readonly BoolType Instance = new();

    public override string Word => PropertyTypeWord.Bool;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) =>
        PropertyPayload.ToBool(PropertyPayload.ToAscii(untrustedPayload));

    public override bool Convert(PropertyHolder holder, PropertyDefinition property, object? input) => input switch
    {
        null => false,
        string text => PropertyPayload.ToBool(text),
        int number => number != 0,
        _ => throw QubesErrors.Value($"Invalid literal for boolean property: {PythonText.Repr(input.ToString() ?? "")}"),
    };

    public override bool Load(PropertyHolder holder, PropertyDefinition property, string text) =>
        text.Length != 0 && PropertyPayload.ToBool(text);

    public override string Format(bool value) => PythonText.Bool(value);
}
