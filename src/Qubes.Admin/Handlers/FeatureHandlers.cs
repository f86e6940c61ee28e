using Qubes.Admin.Calls;
using Qubes.Model.Changes;
using Qubes.Model.Features;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.vm.feature.*</c>.</summary>
internal static class FeatureHandlers
{
    public static void List(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        foreach ((string name, _) in call.Destination.Features.All)
        {
            if (filters.Allows(name))
            {
                call.WriteLine(name);
            }
        }
    }

    public static void Get(AdminCall call) => Read(call, static (features, name) => features.Get(name));

    public static void CheckWithTemplate(AdminCall call) => Read(call, static (features, name) => features.CheckWithTemplate(name));

    public static void CheckWithNetVM(AdminCall call) => Read(call, static (features, name) => features.CheckWithNetVM(name));

    public static void CheckWithAdminVM(AdminCall call) => Read(call, static (features, name) => features.CheckWithAdminVM(name));

    public static void CheckWithTemplateAndAdminVM(AdminCall call) =>
        Read(call, static (features, name) => features.CheckWithTemplateAndAdminVM(name));

    public static async ValueTask SetAsync(AdminCall call)
    {
        (FeatureName name, string value) = FeatureName.ParseAssignment(call.UntrustedArgument, call.UntrustedPayload);
        call.Permit(("value", value));
        using ModelChange change = call.BeginChange();
        call.Destination.Features.Set(name, value);
        await call.CommitAsync(change);
    }

    public static async ValueTask RemoveAsync(AdminCall call)
    {
        call.Permit();
        using ModelChange change = call.BeginChange();
        call.Destination.Features.Remove(call.UntrustedArgument);
        await call.CommitAsync(change);
    }

    private static void Read(AdminCall call, Func<QubeFeatures, string, string?> find)
    {
        call.Permit();
        call.Write(find(call.Destination.Features, call.UntrustedArgument)
            ?? throw QubesErrors.FeatureNotFound(call.Destination.Name, call.UntrustedArgument));
    }
}
