using System.Globalization;
using System.Text.Json;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools;

/// <summary><c>qubes-history</c></summary>
internal sealed class HistoryTool : ITool
{
    public string Name => "qubes-history";

    public string Summary => "show the changes made to the system, and take them back";

    public void Define(ArgumentParser parser)
    {
        parser.Positional("COMMAND", "command", "list (the default), show one revision, or undo one", Arity.Optional, ["list", "show", "undo"]);
        parser.Positional("REVISION", "revision", "the revision to show or undo", Arity.Optional);
        parser.Option("--qube", "qube", "list only changes of this qube");
        parser.Option("--who", "who", "list only changes made by this qube");
        parser.Option("--call", "call", "list only changes made by calls that begin so");
        parser.Option("--before", "before", "list only revisions below this one");
        parser.Option("--limit", "limit", "list at most so many (default: 50)");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        string command = arguments.Last("command") ?? "list";
        if (command == "list")
        {
            if (arguments.Has("revision"))
            {
                throw new UsageException($"unrecognized arguments: {arguments.Last("revision")}");
            }

            await ListAsync(context, arguments);
            return 0;
        }

        string given = arguments.Last("revision") ?? throw new UsageException("the following arguments are required: REVISION");
        if (!long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out long revision) || revision == long.MaxValue)
        {
            throw new UsageException($"argument REVISION: invalid revision: '{given}'");
        }

        return command == "show" ? await ShowAsync(context, revision) : await UndoAsync(context, revision);
    }

    private static async Task ListAsync(ToolContext context, ParsedArguments arguments)
    {
        string query = string.Join(' ', ((string[])["before", "limit", "qube", "who", "call"])
            .Where(arguments.Has).Select(key => $"{key}={arguments.Required(key)}"));
        using JsonDocument history = await QueryAsync(context, query);
        List<string[]> rows = [["REVISION", "TIME", "WHO", "CALL", "CHANGED"]];
        foreach (JsonElement entry in history.RootElement.GetProperty("entries").EnumerateArray())
        {
            IEnumerable<string> subjects = entry.GetProperty("changes").EnumerateArray().Select(Subject).Distinct(StringComparer.Ordinal);
            rows.Add([Number(entry), Time(entry), Text(entry, "who"), Text(entry, "call"), string.Join(',', subjects)]);
        }

        await context.Out.WriteAsync(Table.Format(rows));
        if (history.RootElement.GetProperty("next") is { ValueKind: JsonValueKind.Number } next)
        {
            context.Say($"there are more: --before {next.GetRawText()}");
        }
    }

    private static async Task<int> ShowAsync(ToolContext context, long revision)
    {
        using JsonDocument history = await QueryAsync(context, string.Create(CultureInfo.InvariantCulture, $"before={revision + 1} limit=1"));
        foreach (JsonElement entry in history.RootElement.GetProperty("entries").EnumerateArray())
        {
            if (entry.GetProperty("revision").GetInt64() != revision)
            {
                continue;
            }

            await context.Out.WriteLineAsync($"revision {Number(entry)}\ntime {Time(entry)}\nwho {Text(entry, "who")}\ncall {Text(entry, "call")}");
            foreach (JsonElement change in entry.GetProperty("changes").EnumerateArray())
            {
                await context.Out.WriteLineAsync($"{Subject(change)} {Text(change, "item")}: {Value(change, "before")} -> {Value(change, "after")}");
            }

            return 0;
        }

        throw new ToolException(string.Create(CultureInfo.InvariantCulture, $"revision {revision} is not in the history"));
    }

    private static async Task<int> UndoAsync(ToolContext context, long revision)
    {
        string reply = await context.App.CallAsync("admin.history.Undo", revision.ToString(CultureInfo.InvariantCulture));
        using JsonDocument done = Parse(reply);
        await context.Out.WriteLineAsync($"revision {Number(done.RootElement)}");
        return 0;
    }

    private static async Task<JsonDocument> QueryAsync(ToolContext context, string query) =>
        Parse(await context.App.CallAsync("admin.history.List", payload: query));

    private static JsonDocument Parse(string text)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            throw new ToolException("the daemon's answer is not understood");
        }
    }

    private static string Number(JsonElement entry) => entry.GetProperty("revision").GetRawText();

    private static string Time(JsonElement entry) =>
        entry.GetProperty("when").GetDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Subject(JsonElement change) => Text(change, "subject") is { Length: > 0 } qube ? qube : "system";

    private static string Value(JsonElement change, string member) =>
        change.GetProperty(member) is { ValueKind: JsonValueKind.String } value ? $"'{value.GetString()}'" : "none";

    private static string Text(JsonElement json, string member) => json.GetProperty(member).GetString() ?? "";
}
