using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Classes;

/// <summary>The properties a disposable has beyond those of other qubes.</summary>
public static class DispVMProperties
{
    public static readonly PropertyDefinition<DispVM, QubesVM?> Template =
        new("template", new ReferenceType<QubesVM>("LocalVM", allowNone: false))
        {
            Stage = PropertyStage.References,
            Setter = static (qube, value) => qube.IsHalted
                ? PropertyRules.TemplateOfDisposable(value)
                : throw QubesErrors.VMNotHalted(qube.Name, "Cannot change template while qube is running"),
            ResetGuard = static _ => throw QubesErrors.Value("Cannot unset template"),
            Help = "Disposable template the disposable is based on.",
        };

    public static readonly PropertyDefinition<DispVM, int> DispId = new("dispid", IntType.Instance)
    {
        WriteOnce = true,
        Clone = false,
        Setter = static (_, value) => DispIdAllocator.IsValid(value)
            ? value
            : throw QubesErrors.PropertyValue($"dispid must be between 0 and {DispIdAllocator.Count - 1}"),
        Help = "Internal, persistent number of the disposable. Its network address is made of it.",
    };

    public static readonly PropertyDefinition<DispVM, bool> AutoCleanup = new("auto_cleanup", BoolType.Instance)
    {
        Default = PropertyDefault.Constant(value: false),
        Help = "The disposable is removed when it stops.",
    };

    public static readonly PropertyDefinition<DispVM, bool> IsPreload = new("is_preload", BoolType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Of<DispVM, bool>(static qube => qube.IsPreload),
        Help = "The disposable was started ahead of need and is not in use yet.",
    };

    internal static IEnumerable<PropertyDefinition> All => [Template, DispId, AutoCleanup, IsPreload];
}
