using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Errors;
using Qubes.Store;
using Qubes.Store.Inspection;

namespace Qubesd.StoreTools;

/// <summary><c>qubes-store</c>: what an administrator needs to look at a store, without the daemon.</summary>
internal static class StoreProgram
{
    public const string Name = "qubes-store";
    public const string Usage = """
        usage: qubes-store check [--json] [FILE]
               qubes-store show-journal [--json] [FILE]
               qubes-store generations [--json] [FILE]
               qubes-store restore GENERATION [FILE]

        Looks after the store of all qubes, by default var/lib/qubes/qubes.xml below $QUBES_ROOT (or $QUBES_XML_PATH).

          check          report every problem with its place; nothing is changed. Exit status 1 if there is one
          show-journal   list the changes that are kept beside the file until it is replaced
          generations    list the last good states
          restore        make one of them the store (the daemon must not run); what was there is kept beside it
          --json         for programs

        """;

    private const int HasProblems = 1;
    private const int Misused = 2;
    private const int Failed = 3;

    public static async Task<int> RunAsync(string[] args)
    {
        List<string> words = [.. args.Where(a => a != "--json")];
        bool isJson = words.Count < args.Length;
        if (words is ["--help" or "-h"])
        {
            await Console.Out.WriteAsync(Usage);
            return 0;
        }

        if (words.Find(w => w.StartsWith('-')) is { } option)
        {
            return await MisuseAsync($"unrecognized arguments: {option}");
        }

        try
        {
            switch (words)
            {
                case ["check", ..] when words.Count <= 2:
                    return await CheckAsync(OptionsFor(words.ElementAtOrDefault(1)).StoreFile, isJson);
                case ["show-journal", ..] when words.Count <= 2:
                    return await ShowJournalAsync(OptionsFor(words.ElementAtOrDefault(1)).JournalFile, isJson);
                case ["generations", ..] when words.Count <= 2:
                    await ListGenerationsAsync(OptionsFor(words.ElementAtOrDefault(1)), isJson);
                    return 0;
                case ["restore", string number, ..] when words.Count <= 3
                    && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int generation):
                    return await RestoreAsync(OptionsFor(words.ElementAtOrDefault(2)), generation);
                default:
                    return await MisuseAsync("expected a command");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or QubesException)
        {
            await Console.Error.WriteLineAsync($"{Name}: {LogText.Escape(e.Message)}");
            return Failed;
        }
    }

    private static async Task<int> MisuseAsync(string problem)
    {
        await Console.Error.WriteAsync($"{Usage}{Name}: error: {problem}\n");
        return Misused;
    }

    private static StoreOptions OptionsFor(string? file)
    {
        StoreOptions options = StoreOptions.For(new QubesPaths());
        return file is null ? options : options with { StoreFile = Path.GetFullPath(file) };
    }

    private static async Task<int> CheckAsync(string path, bool isJson)
    {
        StoreReport report = StoreCheck.Run(path, new HostFacts(new QubesPaths()));
        if (isJson)
        {
            await WriteJsonAsync(json =>
            {
                json.WriteStartObject();
                json.WriteString("file"u8, path);
                json.WriteNumber("qubes"u8, report.Qubes);
                json.WriteNumber("revision"u8, report.Revision);
                json.WriteNumber("journaled"u8, report.Outstanding);
                json.WriteStartArray("problems"u8);
                foreach (StoreProblem problem in report.Problems)
                {
                    json.WriteStartObject();
                    json.WriteString("place"u8, problem.Place);
                    json.WriteString("text"u8, problem.Text);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            });
        }
        else
        {
            foreach (StoreProblem problem in report.Problems)
            {
                await Console.Out.WriteLineAsync($"{path}: {problem.Place}: {LogText.Escape(problem.Text)}");
            }

            string journal = report.Outstanding > 0 ? $", with {report.Outstanding} group(s) of changes from the journal" : "";
            await Console.Out.WriteLineAsync($"{path}: {report.Qubes} qubes, revision {report.Revision}{journal}; {report.Problems.Count} problem(s)");
        }

        return report.Problems.Count == 0 ? 0 : HasProblems;
    }

    private static async Task<int> ShowJournalAsync(string path, bool isJson)
    {
        IReadOnlyList<JournalEntry> entries = JournalListing.Read(path) ?? throw new IOException($"there is no journal {path}");
        if (isJson)
        {
            await WriteJsonAsync(json =>
            {
                json.WriteStartArray();
                foreach (JournalEntry entry in entries)
                {
                    json.WriteStartObject();
                    json.WriteNumber("sequence"u8, entry.Sequence);
                    json.WriteString("kind"u8, entry.Kind);
                    json.WriteNumber("revision"u8, entry.Revision);
                    json.WriteString("what"u8, entry.What);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            });
            return 0;
        }

        foreach (JournalEntry entry in entries)
        {
            await Console.Out.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"{entry.Sequence,8} {entry.Kind,-8} {(entry.Revision > 0 ? $"r{entry.Revision}" : ""),-10} {entry.What}"));
        }

        return 0;
    }

    private static async Task ListGenerationsAsync(StoreOptions options, bool isJson)
    {
        IReadOnlyList<StoreGeneration> generations = StoreGenerations.List(options);
        if (isJson)
        {
            await WriteJsonAsync(json =>
            {
                json.WriteStartArray();
                foreach (StoreGeneration generation in generations)
                {
                    json.WriteStartObject();
                    json.WriteNumber("generation"u8, generation.Number);
                    json.WriteString("file"u8, generation.Path);
                    json.WriteString("written"u8, generation.Written);
                    json.WriteNumber("size"u8, generation.Size);
                    json.WriteNumber("revision"u8, generation.Revision);
                    json.WriteNumber("qubes"u8, generation.Qubes);
                    json.WriteString("damage"u8, generation.Damage);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            });
            return;
        }

        foreach (StoreGeneration generation in generations)
        {
            string state = generation.Damage is { } damage ? $"DAMAGED: {LogText.Escape(damage)}" : $"revision {generation.Revision}, {generation.Qubes} qubes";
            await Console.Out.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"{generation.Number}  {generation.Written:yyyy-MM-dd HH:mm:ss}Z  {generation.Size,9} bytes  {state}  {generation.Path}"));
        }
    }

    private static async Task<int> RestoreAsync(StoreOptions options, int generation)
    {
        using StandardErrorLoggerFactory loggers = new(LogLevel.Warning);
        string? kept = StoreGenerations.Restore(options, generation, loggers.CreateLogger("store"));
        await Console.Out.WriteLineAsync($"{options.StoreFile}: generation {generation}{(kept is null ? "" : $"; what was there is {kept}")}");
        return 0;
    }

    private static async Task WriteJsonAsync(Action<Utf8JsonWriter> write)
    {
        await using Stream output = Console.OpenStandardOutput();
        await using (Utf8JsonWriter json = new(output, new JsonWriterOptions { Indented = true }))
        {
            write(json);
        }

        output.WriteByte((byte)'\n');
    }
}
