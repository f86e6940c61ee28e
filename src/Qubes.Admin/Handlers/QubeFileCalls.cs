using Qubes.Admin.Calls;
using Qubes.Lifecycle.Files;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Firewall;

namespace Qubes.Admin.Handlers;

/// <summary>The calls that replace a file of a qube, each as one commit.</summary>
internal static class QubeFileCalls
{
    public static Task SetRulesAsync(AdminCall call, QubesVM qube, IReadOnlyList<FirewallRule> rules) =>
        SetAsync(call, new Dictionary<QubesVM, IReadOnlyList<FirewallRule>> { [qube] = rules }, new Dictionary<QubesVM, string>());

    public static Task SetNotesAsync(AdminCall call, QubesVM qube, string text) =>
        SetAsync(call, new Dictionary<QubesVM, IReadOnlyList<FirewallRule>>(), new Dictionary<QubesVM, string> { [qube] = text });

    private static async Task SetAsync(
        AdminCall call, IReadOnlyDictionary<QubesVM, IReadOnlyList<FirewallRule>> rules, IReadOnlyDictionary<QubesVM, string> texts)
    {
        ChangeOrigin origin = call.Origin;
        await using QubeFilesChange files = await call.Services.Files.BeginAsync(origin, call.App.Changes.Revision, rules, texts);
        using ModelChange change = call.App.Changes.Begin(origin);
        files.Apply();
        await call.CommitAsync(change);
        await files.FinishAsync();
    }
}
