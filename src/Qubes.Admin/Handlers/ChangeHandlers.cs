using System.Globalization;
using Qubes.Admin.Calls;
using Qubes.Admin.Planning;
using Qubes.Admin.State;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.change.*</c>: several changes as one.</summary>
internal static class ChangeHandlers
{
    public static async ValueTask PlanAsync(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        ChangeDocument document = ChangeDocument.Parse(call.UntrustedPayload);
        long revision = call.Services.State.Revision;
        RequireSame(document, revision);
        ChangePlan plan = await call.Services.Planner.PlanAsync(call, document.Steps);
        HashSet<string> created = [.. plan.Steps.OfType<CreateStep>().Select(step => step.UntrustedQube)];
        plan.Write(call.Reply, revision, name => name.Length == 0 ? filters.Allows(call.App) ? QubeSections.All : QubeSections.None
            : created.Contains(name) ? QubeSections.All
            : call.App.Domains.TryGet(name, out Qube? qube) ? filters.SectionsOf(qube)
            : QubeSections.None);
    }

    // {"revision":N}
    public static async ValueTask ApplyAsync(AdminCall call)
    {
        call.Permit();
        ChangeDocument document = ChangeDocument.Parse(call.UntrustedPayload);
        long revision = document.Revision ?? throw QubesErrors.Protocol("/revision: expected the revision of the state that is changed");
        RequireSame(document, call.App.Changes.Revision);
        ChangePlan plan = await call.Services.Planner.PlanAsync(call, document.Steps);
        long committed = await new ChangeExecutor(call, plan, revision).RunAsync();
        call.Write(string.Create(CultureInfo.InvariantCulture, $$"""{"revision":{{committed}}}"""));
    }

    private static void RequireSame(ChangeDocument document, long revision)
    {
        if (document.Revision is { } expected && expected != revision)
        {
            throw QubesErrors.Conflict(string.Create(CultureInfo.InvariantCulture,
                $"The state is at revision {revision} by now, the change was made for revision {expected}"));
        }
    }
}
