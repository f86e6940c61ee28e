using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.Properties;
using Qubes.Protocol.Text;

namespace Qubes.Model.Properties.Types;

/// <summary>A reference to a qube of class <typeparamref name="TQube"/>, held as the object, sent and stored by name.</summary>
public sealed class ReferenceType<TQube> : PropertyType<TQube?>
    where TQube : Qube
{
    private readonly string _className;
    private readonly bool _allowNone;

    /// <param name="className">The required class as messages name it.</param>
    /// <param name="allowNone">The empty text means none; otherwise it is refused.</param>
    public ReferenceType(string className, bool allowNone)
    {
        _className = className;
        _allowNone = allowNone;
    }

    public override string Word => PropertyTypeWord.VM;

    public override bool IsReference => true;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) => PropertyPayload.ToQubeName(untrustedPayload)?.Value ?? "";

    public override TQube? Convert(PropertyHolder holder, PropertyDefinition property, object? input)
    {
        Qube? qube;
        switch (input)
        {
            case null or "":
                return _allowNone ? null : throw QubesErrors.InvalidPropertyValue(holder.HolderText, property.Name, "None");
            case Qube given:
                qube = given;
                break;
            case QubeUuid uuid when holder.App.Domains.TryFind(uuid, out qube):
                break;
            case string name when holder.App.Domains.TryFind(name, out qube):
                break;
            default:
                throw QubesErrors.PropertyValue(
                    $"Can't set {property.Name} to non-existing qube {Protocol.Events.EventValue.ToText(input)}");
        }

        return qube as TQube ?? throw QubesErrors.PropertyValue(
            $"wrong VM class: domains[{PythonText.Repr(qube.Name)}] is of type {qube.Klass} and not {_className}");
    }

    public override TQube? Load(PropertyHolder holder, PropertyDefinition property, string text) => Convert(holder, property, text);

    public override string Format(TQube? value) => value?.Name.Value ?? "";
}
