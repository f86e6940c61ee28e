using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Model.Classes;

/// <summary>The property of qubes that may serve as templates of disposables.</summary>
public static class DisposableTemplateProperties
{
    public static readonly PropertyDefinition<QubesVM, bool> TemplateForDispVMs = new("template_for_dispvms", BoolType.Instance)
    {
        Default = PropertyDefault.Constant(value: false),
        Help = "Disposables may be made from this qube.",
    };

    internal static IEnumerable<PropertyDefinition> All => [TemplateForDispVMs];

    /// <summary>
    /// Refuses to take the role away while something relies on it: the application's or a qube's explicit
    /// <c>default_dispvm</c>, <c>management_dispvm</c>, or a disposable's <c>template</c>.
    /// </summary>
    internal static void RefuseIfUsed(QubesVM qube)
    {
        QubesApp app = qube.App;
        if (ReferenceEquals(QubesAppProperties.DefaultDispVM.Get(app), qube)
            || ReferenceEquals(QubesAppProperties.ManagementDispVM.Get(app), qube))
        {
            throw QubesErrors.VMInUse(
                qube.Name, $"Cannot disable template_for_dispvms of qube {PythonText.Repr(qube.Name)}: it is a system default");
        }

        foreach (Qube other in app.Domains)
        {
            if (ReferenceEquals(other, qube) || other is DispVM { IsPreload: true } preload && preload.Template == qube)
            {
                continue;
            }

            foreach (PropertyDefinition property in other.Properties.References)
            {
                if (property.Name is "default_dispvm" or "management_dispvm" or "template"
                    && property.IsExplicit(other) && property.TryGetObject(other, out object? value) && ReferenceEquals(value, qube))
                {
                    throw QubesErrors.VMInUse(
                        qube.Name,
                        $"Cannot disable template_for_dispvms of qube {PythonText.Repr(qube.Name)}: "
                        + $"it is {property.Name} of {PythonText.Repr(other.Name)}");
                }
            }
        }
    }
}
