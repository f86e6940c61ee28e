using System.Text;
using Qubes.Admin.Calls;
using Qubes.Admin.Handlers;
using Qubes.Lifecycle.Files;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Firewall;
using Qubes.Model.Notes;
using Qubes.Protocol.Firewall;

namespace Qubes.Admin.Planning;

/// <summary>The steps about what lies in files of its own. On a copy of the model only the model changes; for real the files go with the commit.</summary>
internal static class FileChanges
{
    public static bool IsFile(ChangeStep step) => step is FirewallStep or NotesStep;

    /// <summary>As the single call reads them.</summary>
    public static IReadOnlyList<FirewallRule> Rules(FirewallStep step) => step.UntrustedRules is null
        ? [FirewallRule.AcceptAll]
        : FirewallRuleParser.ParsePayload(Encoding.UTF8.GetBytes(string.Join('\n', step.UntrustedRules)));

    public static string Text(NotesStep step) => NotesHandlers.Sanitise(Encoding.UTF8.GetBytes(step.UntrustedText ?? ""));

    /// <summary>Reads what the steps are about, where there is a qube already.</summary>
    public static async Task LoadAsync(AdminCall call, IReadOnlyList<ChangeStep> steps)
    {
        foreach (ChangeStep step in steps)
        {
            if (IsFile(step) && call.App.Domains.TryFind(step.UntrustedQube, out Qube? qube) && qube is QubesVM vm)
            {
                await call.Services.Firewall.EnsureLoadedAsync(vm);
                await call.Services.Notes.EnsureLoadedAsync(vm);
            }
        }
    }

    /// <summary>On a copy.</summary>
    public static void Run(QubesApp app, ChangeStep step)
    {
        if (step is FirewallStep firewall)
        {
            FirewallHandlers.Owner(app.Domains.Find(step.UntrustedQube)).Firewall.Set(Rules(firewall));
        }
        else
        {
            NotesHandlers.Owner(app.Domains.Find(step.UntrustedQube)).Notes.Set(before: "", Text((NotesStep)step));
        }
    }

    /// <summary>How it is now: for comparing.</summary>
    public static string Describe(QubesApp app, ChangeStep step) => step is FirewallStep
        ? FirewallHandlers.Owner(app.Domains.Find(step.UntrustedQube)).Firewall is { Damage: null } firewall ? QubeFirewall.HistoryText(firewall.Rules) ?? "default" : "damaged"
        : NotesHandlers.Owner(app.Domains.Find(step.UntrustedQube)).Notes.Digest ?? "unreadable";

    /// <summary>It is so already.</summary>
    public static bool IsDone(QubesApp app, ChangeStep step) => Describe(app, step) == (step is FirewallStep firewall
        ? QubeFirewall.HistoryText(Rules(firewall)) ?? "default"
        : QubeNotes.DigestOf(Text((NotesStep)step)));

    /// <summary>For real: see <see cref="QubeFiles.BeginAsync"/>. Null if no step is about files.</summary>
    public static async Task<QubeFilesChange?> BeginAsync(AdminCall call, ChangeOrigin origin, long revision, IReadOnlyList<ChangeStep> steps)
    {
        if (!steps.Any(IsFile))
        {
            return null;
        }

        return await call.Services.Files.BeginAsync(
            origin,
            revision,
            steps.OfType<FirewallStep>().ToDictionary(step => FirewallHandlers.Owner(call.App.Domains.Find(step.UntrustedQube)), Rules),
            steps.OfType<NotesStep>().ToDictionary(step => NotesHandlers.Owner(call.App.Domains.Find(step.UntrustedQube)), Text));
    }
}
