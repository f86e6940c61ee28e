using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;

namespace Qubes.Model.Classes;

/// <summary>The property a template has beyond those of other qubes.</summary>
public static class TemplateVMProperties
{
    public static readonly PropertyDefinition<TemplateVM, string?> AppVMDefaultBootMode = new("appvm_default_bootmode", TextType.Instance)
    {
        Stage = PropertyStage.References,
        Default = PropertyDefault.Of<TemplateVM, string?>(
            static qube => qube.Features.Get("boot-mode.appvm-default") ?? BootProperties.DefaultMode),
        Help = "Boot mode of the qubes based on this template.",
    };

    internal static IEnumerable<PropertyDefinition> All => [AppVMDefaultBootMode];
}
