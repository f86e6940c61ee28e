using System.Text;
using Qubes.Admin.Calls;
using Qubes.Model.Classes;
using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Planning;

/// <summary>Which single call each step stands for, and that call's permission event.</summary>
internal static class ChangeCalls
{
    public static string MethodOf(ChangeStep step) => step switch
    {
        CreateStep create => (create.UntrustedPool is null ? "admin.vm.Create." : "admin.vm.CreateInPool.") + create.UntrustedClass,
        RemoveStep => "admin.vm.Remove",
        PropertyStep property => (step.UntrustedQube.Length == 0 ? "admin.property." : "admin.vm.property.")
            + (property.UntrustedValue is null ? "Reset" : "Set"),
        FeatureStep feature => "admin.vm.feature." + (feature.UntrustedValue is null ? "Remove" : "Set"),
        TagStep tag => "admin.vm.tag." + (tag.IsSet ? "Set" : "Remove"),
        _ => throw new NotSupportedException(step.GetType().Name),
    };

    public static string ArgumentOf(ChangeStep step) => step switch
    {
        CreateStep create => create.UntrustedTemplate ?? "",
        PropertyStep property => property.UntrustedName,
        FeatureStep feature => feature.UntrustedName,
        TagStep tag => tag.UntrustedName,
        _ => "",
    };

    /// <summary>Fires the permission event of the single call, as that call would.</summary>
    /// <exception cref="QubesException">It is refused, or the value is none such a call takes. Begins with the place.</exception>
    public static void Permit(AdminCall call, ChangeStep step)
    {
        try
        {
            Qube destination = step is CreateStep || step.UntrustedQube.Length == 0 ? call.App.Domains.AdminVM : call.App.Domains.Find(step.UntrustedQube);
            call.PermitPart("admin-permission:" + MethodOf(step), destination, ArgumentOf(step), Extras(call, step));
        }
        catch (QubesException e)
        {
            throw PlacedError.At(step.Place, e);
        }
    }

    private static (string Key, object? Value)[] Extras(AdminCall call, ChangeStep step)
    {
        switch (step)
        {
            case PropertyStep { UntrustedValue: { } text } property:
                PropertyHolder holder = step.UntrustedQube.Length == 0 ? call.App : call.App.Domains.Find(step.UntrustedQube);
                return [("newvalue", holder.Property(property.UntrustedName).Sanitise(Encoding.UTF8.GetBytes(text)))];
            case PropertyStep reset:
                holder = step.UntrustedQube.Length == 0 ? call.App : call.App.Domains.Find(step.UntrustedQube);
                _ = holder.Property(reset.UntrustedName);
                return [];
            case FeatureStep { UntrustedValue: { } text } feature:
                return [("value", FeatureName.ParseAssignment(feature.UntrustedName, Encoding.UTF8.GetBytes(text)).Value)];
            case TagStep tag:
                _ = TagName.Parse(tag.UntrustedName);
                return [];
            case CreateStep create:
                Label? label = call.App.Labels.TryFind(create.UntrustedLabel, out Label? found) ? found : null;
                (string, object?)[] extras =
                [
                    ("pool", create.UntrustedPool), ("pools", new Dictionary<string, string>(StringComparer.Ordinal)),
                    ("name", create.UntrustedQube), ("label", label),
                ];
                return create.UntrustedTemplate is { } template ? [.. extras, ("template", template)] : extras;
            default:
                return [];
        }
    }
}
