using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Store;
using Qubes.Store.Inspection;

namespace Qubesd.StoreTools;

/// <summary><c>qubes-store</c>: what an administrator needs to look at a store, without the daemon.</summary>
internal static class StoreProgram
{
    public const string Name = "qubes-store";

    private const int HasProblems = 1;
    private const int Failed = 3;

    public static ToolHelp Help { get; } = new()
    {
        Name = Name,
        Summary = "look after the store of all qubes, without the daemon",
        Forms =
        [
            "[--root DIR] check [--json] [FILE]",
            "[--root DIR] show-journal [--json] [FILE]",
            "[--root DIR] generations [--json] [FILE]",
            "[--root DIR] restore GENERATION [FILE]",
        ],
        Description = "Looks after the store FILE, by default var/lib/qubes/qubes.xml below the root. Nothing but restore changes anything, and only restore "
            + "needs the daemon to be stopped.",
        Commands =
        [
            new("check", "report every problem with its place, as a start would meet it, the journal beside the store included"),
            new("show-journal", "list the changes that are kept beside the store until it is replaced"),
            new("generations", "list the last good states, the store itself as number 0"),
            new("restore", "make a good state the store, by its number in that list; what was there is kept beside it"),
        ],
        Options = [new("--json", "for programs"), .. StoreTool.CommonOptions],
        ExitStatus =
        [
            new("0", "Done; of check: no problem."),
            new("1", "check found a problem."),
            new("2", "The command line is wrong."),
            new("3", "The file cannot be read or written, or is in use."),
        ],
    };

    public static Task<int> RunAsync(string[] args) => StoreTool.RunAsync(Help, args, ["--json"], [], Failed, async (arguments, paths) =>
    {
        if (arguments.Words.Count == 0)
        {
            throw new UsageException("the following arguments are required: COMMAND");
        }

        string command = arguments.Words[0];
        bool isRestore = command == "restore";
        bool isJson = arguments.Has("--json");
        if (isRestore && isJson)
        {
            throw new UsageException("unrecognized arguments: --json");
        }

        if (Help.Commands.All(c => c.Name != command))
        {
            throw new UsageException($"argument COMMAND: invalid choice: '{command}' (choose from {string.Join(", ", Help.Commands.Select(c => c.Name))})");
        }

        int generation = isRestore ? Generation(arguments.Words.ElementAtOrDefault(1)) : 0;
        int file = isRestore ? 2 : 1;
        arguments.RequireAtMost(file + 1);
        StoreOptions options = StoreOptions.For(paths);
        if (arguments.Words.ElementAtOrDefault(file) is { } path)
        {
            options = options with { StoreFile = Path.GetFullPath(path) };
        }

        switch (command)
        {
            case "check":
                return await CheckAsync(options.StoreFile, paths, isJson);
            case "show-journal":
                return await ShowJournalAsync(options.JournalFile, isJson);
            case "generations":
                await ListGenerationsAsync(options, isJson);
                return 0;
            default:
                return await RestoreAsync(options, generation);
        }
    });

    private static int Generation(string? word) =>
        word is null ? throw new UsageException("the following arguments are required: GENERATION")
        : int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int generation) ? generation
        : throw new UsageException($"argument GENERATION: invalid number: '{word}'");

    private static async Task<int> CheckAsync(string path, QubesPaths paths, bool isJson)
    {
        StoreReport report = StoreCheck.Run(path, new HostFacts(paths), ClassesOf(paths));
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

    /// <summary>With those that extensions bring. What is wrong with extensions is for the daemon's log to say.</summary>
    private static QubeClassSet ClassesOf(QubesPaths paths) =>
        new([.. new ExtensionDirectory(paths.ExtensionsDirectory, NullLogger.Instance).Load().SelectMany(e => e.Classes)]);

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
