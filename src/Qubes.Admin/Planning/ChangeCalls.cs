using System.Text;
using Qubes.Admin.Calls;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Planning;

/// <summary>Which single calls each step stands for, and their permission events.</summary>
internal static class ChangeCalls
{
    /// <summary>The calls the step takes as the model is now; nearly always one.</summary>
    public static SingleCall[] Of(QubesApp app, ChangeStep step) => step switch
    {
        CreateStep create => [new((create.UntrustedPool is null ? "admin.vm.Create." : "admin.vm.CreateInPool.") + create.UntrustedClass, create.UntrustedTemplate ?? "")],
        RemoveStep => [new("admin.vm.Remove", "")],
        PropertyStep property =>
        [
            new((step.UntrustedQube.Length == 0 ? "admin.property." : "admin.vm.property.") + (property.UntrustedValue is null ? "Reset" : "Set"),
                property.UntrustedName),
        ],
        FeatureStep feature => [new("admin.vm.feature." + (feature.UntrustedValue is null ? "Remove" : "Set"), feature.UntrustedName)],
        TagStep tag => [new("admin.vm.tag." + (tag.IsSet ? "Set" : "Remove"), tag.UntrustedName)],
        DeviceStep device => DeviceChanges.CallsOf(app, device),
        FirewallStep => [new("admin.vm.firewall.Set", "")],
        NotesStep => [new("admin.vm.notes.Set", "")],
        PoolSettingStep or VolumeSettingStep => [StorageChanges.CallOf(step)],
        LabelStep label => [new("admin.label." + (label.UntrustedColor is null ? "Remove" : "Create"), label.UntrustedName)],
        _ => throw new NotSupportedException(step.GetType().Name),
    };

    /// <summary>Fires the permission events of the single calls, as those calls would.</summary>
    /// <exception cref="QubesException">It is refused, or the value is none such a call takes. Begins with the place.</exception>
    public static void Permit(AdminCall call, ChangeStep step)
    {
        try
        {
            Qube destination = step is CreateStep || step.UntrustedQube.Length == 0 ? call.App.Domains.AdminVM : call.App.Domains.Find(step.UntrustedQube);
            foreach (SingleCall single in Of(call.App, step))
            {
                call.PermitPart("admin-permission:" + single.Method, destination, single.Argument, Extras(call, step, single));
            }
        }
        catch (QubesException e)
        {
            throw PlacedError.At(step.Place, e);
        }
    }

    private static (string Key, object? Value)[] Extras(AdminCall call, ChangeStep step, SingleCall single)
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
            case DeviceStep device:
                return DeviceChanges.Extras(call.App, device, single);
            case PoolSettingStep or VolumeSettingStep:
                return StorageChanges.Extras(step);
            case FirewallStep firewall:
                return [("rules", FileChanges.Rules(firewall))];
            case NotesStep notes:
                _ = FileChanges.Text(notes);
                return [];
            case LabelStep { UntrustedColor: { } color }:
                return [("color", LabelColor.Parse(Encoding.UTF8.GetBytes(color)).Value)];
            case LabelStep gone:
                return [("label", call.App.Labels.TryFind(LabelName.Parse(gone.UntrustedName, forCreation: false), out Label? existing) ? existing : null)];
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
