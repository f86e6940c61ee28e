using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;
using Qubes.Protocol.Names;

namespace Qubes.Model.Classes;

/// <summary>The properties dom0 has of its own or in another form than other qubes.</summary>
public static class AdminVMProperties
{
    public static readonly PropertyDefinition<AdminVM, QubeName> Name = new("name", QubeNameType.Instance)
    {
        Computed = true,
        Clone = false,
        Default = PropertyDefault.Of<AdminVM, QubeName>(static qube => qube.Name),
        Help = QubeProperties.Name.Help,
    };

    public static readonly PropertyDefinition<AdminVM, int> Qid = new("qid", IntType.Instance)
    {
        Computed = true,
        Clone = false,
        Default = PropertyDefault.Of<AdminVM, int>(static qube => qube.Qid),
        Help = QubeProperties.Qid.Help,
    };

    public static readonly PropertyDefinition<AdminVM, QubeUuid> Uuid = new("uuid", UuidType.Instance)
    {
        Computed = true,
        Clone = false,
        Default = PropertyDefault.Of<AdminVM, QubeUuid>(static qube => qube.Uuid),
        Help = QubeProperties.Uuid.Help,
    };

    public static readonly PropertyDefinition<AdminVM, Qube?> DefaultDispVM =
        new("default_dispvm", new ReferenceType<Qube>("BaseVM", allowNone: true))
        {
            Stage = PropertyStage.References,
            Default = PropertyDefault.Of<AdminVM, Qube?>(static qube => QubesAppProperties.DefaultDispVM.Get(qube.App)),
            Setter = static (qube, value) => PropertyRules.DisposableTemplate(qube, "default_dispvm", value),
            Help = "Default template of disposables started from this qube.",
        };

    public static readonly PropertyDefinition<AdminVM, int> MaxMem = new("maxmem", IntType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Of<AdminVM, int>(static qube => qube.App.Host.Dom0MaxMemMiB ?? 4096),
        Help = "Maximum memory available to the qube, in MiB.",
    };

    public static readonly PropertyDefinition<AdminVM, bool> Updateable = new("updateable", BoolType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Constant(value: true),
        Help = "Software installed in the qube stays installed.",
    };

    public static readonly PropertyDefinition<LocalQube, string?> KeyboardLayout = new("keyboard_layout", TextType.Instance)
    {
        Default = PropertyDefault.Constant<string?>("us++"),
        Setter = static (_, value) => PropertyRules.KeyboardLayout(value),
        Help = "Keyboard layout: layout, variant and options, separated by plus signs.",
    };

    internal static IEnumerable<PropertyDefinition> All =>
    [
        Name, Qid, Uuid, DefaultDispVM, MaxMem, Updateable, KeyboardLayout, LocalQubeProperties.DevicesDenied,
        LocalQubeProperties.IncludeInBackups, .. QubeProperties.All,
    ];
}
