using System.Globalization;
using Qubes.Admin.Calls;
using Qubes.Model.Changes;
using Qubes.Model.Labels;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.label.*</c>. The name is judged, and found, before the permission event, which shows the label.</summary>
internal static class LabelHandlers
{
    public static void List(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        foreach (Label label in call.App.Labels.Settled)
        {
            if (filters.Allows(label))
            {
                call.WriteLine(label.Name);
            }
        }
    }

    public static void Get(AdminCall call)
    {
        Label label = FindPermitted(call);
        call.Write(label.Color);
    }

    public static void Index(AdminCall call)
    {
        Label label = FindPermitted(call);
        call.Write(label.Index.ToString(CultureInfo.InvariantCulture));
    }

    public static async ValueTask CreateAsync(AdminCall call)
    {
        LabelName name = LabelName.Parse(call.UntrustedArgument, forCreation: true);
        LabelColor color = LabelColor.Parse(call.UntrustedPayload);
        call.Permit(("color", color.Value));
        using ModelChange change = call.BeginChange();
        call.App.Labels.Create(name, color);
        await call.CommitAsync(change);
    }

    public static async ValueTask RemoveAsync(AdminCall call)
    {
        Label label = FindPermitted(call);
        using ModelChange change = call.BeginChange();
        call.App.Labels.Remove(label);
        await call.CommitAsync(change);
    }

    private static Label FindPermitted(AdminCall call)
    {
        Label label = call.App.Labels.Find(LabelName.Parse(call.UntrustedArgument, forCreation: false));
        call.Permit(("label", label));
        return label;
    }
}
