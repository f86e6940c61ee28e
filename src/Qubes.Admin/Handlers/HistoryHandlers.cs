using System.Globalization;
using System.Text;
using System.Text.Json;
using Qubes.Admin.Calls;
using Qubes.Admin.Planning;
using Qubes.Admin.State;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Store.History;

namespace Qubes.Admin.Handlers;

/// <summary><c>admin.history.*</c>: what was changed, and taking it back.</summary>
internal static class HistoryHandlers
{
    // Each loses against a change that came in between.
    private const int MostAttempts = 10;

    // One call looks at no more entries than this; the caller goes on where it ended.
    private const int MostLookedAt = 20_000;

    // {"entries":[{"revision":N,"when":"","who":"","call":"","changes":[{"subject":"","item":"","before":""|null,"after":""|null}*]}*],
    //  "next":N|null}      next: pass it as before= to go on

    public static async ValueTask ListAsync(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        HistoryQuery query = HistoryQuery.Parse(call.UntrustedPayload);
        HistoryReader reader = call.Services.History;

        // Before anything is filtered for the caller: that needs the model.
        (List<HistoryEntry> entries, long? next) = await Task.Run(() => Read(reader, query));
        using Utf8JsonWriter json = new(call.Reply, JsonText.Options);
        json.WriteStartObject();
        json.WriteStartArray("entries"u8);
        foreach (HistoryEntry entry in entries)
        {
            ChangeRecord[] visible = [.. entry.Changes.Where(change => Sees(call, filters, change))];
            if (visible.Length > 0 || (entry.Changes.Count == 0 && filters.AllowsAll))
            {
                Write(json, entry, visible);
            }
        }

        json.WriteEndArray();
        if (next is { } number)
        {
            json.WriteNumber("next"u8, number);
        }
        else
        {
            json.WriteNull("next"u8);
        }

        json.WriteEndObject();
    }

    // {"revision":N}
    public static async ValueTask UndoAsync(AdminCall call)
    {
        call.Permit();
        long revision = PayloadNumber.Parse(Encoding.ASCII.GetBytes(call.UntrustedArgument), "Revision");
        HistoryReader reader = call.Services.History;
        HistoryEntry entry = await Task.Run(() => reader.Find(revision))
            ?? throw QubesErrors.General(string.Create(CultureInfo.InvariantCulture, $"Revision {revision} is not in the history"));
        IReadOnlyList<ChangeStep> steps = ChangeUndo.StepsFor(entry);
        await FileChanges.LoadAsync(call, steps);
        if (call.Source is AdminVM)
        {
            // Who may see everything is told the reason first; others are judged by policy before they learn of anything.
            ChangeUndo.RequireUnchanged(call.App, entry);
        }

        long committed = await UndoAsync(call, entry, steps);
        call.Write(string.Create(CultureInfo.InvariantCulture, $$"""{"revision":{{committed}}}"""));
    }

    /// <summary>The caller names no revision of the state: what others change meanwhile is a reason to look again, not one to refuse.</summary>
    private static async Task<long> UndoAsync(AdminCall call, HistoryEntry entry, IReadOnlyList<ChangeStep> steps)
    {
        for (int attempt = 1; ; attempt++)
        {
            long now = call.App.Changes.Revision;
            try
            {
                ChangePlan plan = await call.Services.Planner.PlanAsync(call, steps, copy => ChangeUndo.RequireUnchanged(copy, entry));
                return await new ChangeExecutor(call, plan, now).RunAsync();
            }
            catch (QubesException e) when (e.Is(QubesErrorNames.Conflict) && call.App.Changes.Revision != now && attempt < MostAttempts)
            {
            }
        }
    }

    private static (List<HistoryEntry> Entries, long? Next) Read(HistoryReader reader, HistoryQuery query)
    {
        List<HistoryEntry> found = [];
        int lookedAt = 0;
        foreach (HistoryEntry entry in reader.NewestFirst(query.Before))
        {
            if (found.Count == query.Limit || lookedAt++ == MostLookedAt)
            {
                return (found, entry.Revision + 1);
            }

            if (query.Matches(entry))
            {
                found.Add(entry);
            }
        }

        return (found, null);
    }

    /// <summary>What became of a qube that is gone is only for those who see everything.</summary>
    private static bool Sees(AdminCall call, AdminFilters filters, ChangeRecord change) => filters.AllowsAll
        || (change.Subject.Length == 0 ? filters.Allows(call.App)
            : call.App.Domains.TryGet(change.Subject, out Qube? qube) && filters.SectionsOf(qube).HasFlag(SectionOf(change.Item)));

    private static QubeSections SectionOf(string item) => item.Split(' ')[0] switch
    {
        "device" => QubeSections.Devices,
        "firewall" => QubeSections.Firewall,
        "notes" => QubeSections.Notes,
        _ => QubeSections.Base,
    };

    private static void Write(Utf8JsonWriter json, HistoryEntry entry, ChangeRecord[] changes)
    {
        json.WriteStartObject();
        json.WriteNumber("revision"u8, entry.Revision);
        json.WriteString("when"u8, entry.When);
        json.WriteString("who"u8, entry.Who);
        json.WriteString("call"u8, entry.Call);
        json.WriteStartArray("changes"u8);
        foreach (ChangeRecord change in changes)
        {
            json.WriteStartObject();
            json.WriteString("subject"u8, change.Subject);
            json.WriteString("item"u8, change.Item);
            json.WriteString("before"u8, change.Before);
            json.WriteString("after"u8, change.After);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
