using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Model.Classes;

/// <summary>The properties of every qube.</summary>
public static class QubeProperties
{
    public static readonly PropertyDefinition<Qube, QubeName> Name = new("name", QubeNameType.Instance)
    {
        WriteOnce = true,
        Clone = false,
        Help = "User-specified name of the qube.",
    };

    public static readonly PropertyDefinition<Qube, int> Qid = new("qid", IntType.Instance)
    {
        WriteOnce = true,
        Clone = false,
        Help = "Internal, persistent number of the qube. Its network address is made of it.",
    };

    public static readonly PropertyDefinition<Qube, QubeUuid> Uuid = new("uuid", UuidType.Instance)
    {
        WriteOnce = true,
        Clone = false,
        Help = "The UUID by which the hypervisor knows the qube.",
    };

    public static readonly PropertyDefinition<Qube, Label> Label = new("label", LabelType.Instance)
    {
        // Without a label the qube could not be shown, and the policy's view of the system could not be built.
        ResetGuard = static qube => throw QubesErrors.PropertyValue($"Cannot unset label of {qube.HolderText}"),
        Help = "Colourful label assigned to the qube. Windows of the qube are framed in this colour.",
    };

    public static readonly PropertyDefinition<Qube, string?> Klass = new("klass", TextType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Of<Qube, string?>(static qube => qube.Klass),
        Help = "Class of the qube.",
    };

    public static readonly PropertyDefinition<Qube, string?> Icon = new("icon", TextType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Of<Qube, string?>(static qube => qube.Icon),
        Help = "Name of the icon that stands for the qube in menus.",
    };

    internal static IEnumerable<PropertyDefinition> All => [Name, Qid, Uuid, Label, Klass, Icon];
}
