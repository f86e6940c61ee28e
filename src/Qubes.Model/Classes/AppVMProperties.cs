using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Classes;

/// <summary>The property an AppVM has beyond those of other qubes.</summary>
public static class AppVMProperties
{
    public static readonly PropertyDefinition<AppVM, TemplateVM?> Template =
        new("template", new ReferenceType<TemplateVM>("TemplateVM", allowNone: false))
        {
            Stage = PropertyStage.References,
            Setter = static (qube, value) => qube.IsHalted
                ? value
                : throw QubesErrors.VMNotHalted(qube.Name, "Cannot change template while qube is running"),
            ResetGuard = static qube => throw QubesErrors.Value(
                QubesAppProperties.DefaultTemplate.Get(qube.App) is { } template
                    ? $"Cannot unset template. You can set it to the current default ({template.Name}) instead"
                    : "Cannot unset template"),
            Help = "Template the qube is based on.",
        };

    internal static IEnumerable<PropertyDefinition> All => [Template];
}
