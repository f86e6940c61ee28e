using Qubes.Admin.Calls;
using Qubes.Model.Changes;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.vm.tag.*</c>.</summary>
internal static class TagHandlers
{
    public static void List(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        foreach (string tag in call.Destination.Tags.All)
        {
            if (filters.Allows(tag))
            {
                call.WriteLine(tag);
            }
        }
    }

    public static void Get(AdminCall call)
    {
        TagName tag = TagName.Parse(call.UntrustedArgument);
        call.Permit();
        call.Write(call.Destination.Tags.Contains(tag) ? "1" : "0");
    }

    public static async ValueTask SetAsync(AdminCall call)
    {
        TagName tag = TagName.Parse(call.UntrustedArgument);
        call.Permit();
        using ModelChange change = call.BeginChange();
        call.Destination.Tags.Add(tag);
        await call.CommitAsync(change);
    }

    public static async ValueTask RemoveAsync(AdminCall call)
    {
        TagName tag = TagName.Parse(call.UntrustedArgument);
        call.Permit();
        using ModelChange change = call.BeginChange();
        call.Destination.Tags.Remove(tag);
        await call.CommitAsync(change);
    }
}
