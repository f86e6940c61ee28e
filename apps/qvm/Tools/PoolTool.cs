using Qubes.Protocol.Errors;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools;

/// <summary><c>qvm-pool</c>, with its commands and with the options that stood for them in older versions.</summary>
internal sealed class PoolTool : ITool
{
    private static readonly string[] Commands = ["list", "l", "ls", "drivers", "d", "info", "i", "add", "a", "remove", "r", "rm", "set", "s"];
    private static readonly string[] Settable = ["revisions_to_keep", "ephemeral_volatile"];

    public string Name => "qvm-pool";

    public string Summary => "manage storage pools";

    public void Define(ArgumentParser parser)
    {
        parser.Positional("COMMAND", "command",
            "list (l, ls), drivers (d), info (i) POOL, add (a) POOL DRIVER, remove (r, rm) POOL ..., set (s) POOL; without it, list",
            Arity.Optional, Commands);
        parser.Positional("ARGUMENT", "words", "what the command works on", Arity.Any);
        parser.Option("--option -o", "option", "add, set: an option of the pool; may be repeated", placeholder: "NAME=VALUE");
        parser.Flag("--list -l", "list", "as list");
        parser.Flag("--help-drivers", "help-drivers", "as drivers");
        parser.Option("--info -i", "info", "as info", placeholder: "POOL");
        parser.Option("--add -a", "add", "as add", Arity.OneOrMore, placeholder: "POOL DRIVER");
        parser.Option("--remove -r", "remove", "as remove", placeholder: "POOL");
        parser.Option("--set -s", "set", "as set", placeholder: "POOL");
        parser.ExclusiveKeys.Add(["list", "help-drivers", "info", "add", "remove", "set"]);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        (string command, IReadOnlyList<string> words) = Meant(arguments);
        switch (command)
        {
            case "drivers":
                await context.Out.WriteAsync(Table.Format(
                [
                    ["DRIVER", "OPTIONS"],
                    .. (await context.App.ListPoolDriversAsync()).OrderBy(d => d.Driver, StringComparer.Ordinal)
                        .Select(d => (string[])[d.Driver, string.Join(", ", d.Options)]),
                ]));
                return 0;
            case "info":
                return await InfoAsync(context, Only(words, "info takes exactly one POOL"));
            case "add":
                if (words.Count != 2)
                {
                    throw new UsageException("add takes POOL and DRIVER");
                }

                await context.App.AddPoolAsync(words[0], words[1], Options(arguments));
                return 0;
            case "remove":
                return await RemoveAsync(context, words);
            case "set":
                return await SetAsync(context, Only(words, "set takes exactly one POOL"), Options(arguments));
            default:
                return await ListAsync(context);
        }
    }

    /// <summary>The command in its long form, whichever way it was given, and what it works on.</summary>
    private static (string Command, IReadOnlyList<string> Words) Meant(ParsedArguments arguments)
    {
        foreach (string option in (ReadOnlySpan<string>)["info", "add", "remove", "set"])
        {
            if (arguments.Has(option))
            {
                return (option, arguments.All(option));
            }
        }

        string command = arguments.Has("help-drivers") ? "drivers" : arguments.Last("command") switch
        {
            "drivers" or "d" => "drivers",
            "info" or "i" => "info",
            "add" or "a" => "add",
            "remove" or "r" or "rm" => "remove",
            "set" or "s" => "set",
            _ => "list",
        };
        return (command, arguments.All("words"));
    }

    private static async Task<int> ListAsync(ToolContext context)
    {
        List<string[]> rows = [["NAME", "DRIVER"]];
        foreach (string pool in await context.App.ListPoolsAsync())
        {
            rows.Add([pool, (await context.App.GetPoolInfoAsync(pool)).FirstOrDefault(i => i.Key == "driver").Value ?? ""]);
        }

        await context.Out.WriteAsync(Table.Format(rows));
        return 0;
    }

    private static async Task<int> InfoAsync(ToolContext context, string pool)
    {
        if (!(await context.App.ListPoolsAsync()).Contains(pool))
        {
            throw new UsageException($"No such pools: ['{pool}']");
        }

        IEnumerable<KeyValuePair<string, string>> info = (await context.App.GetPoolInfoAsync(pool)).Where(i => i.Key != "name");
        await context.Out.WriteAsync(Table.Format(
            [["name", pool], .. info.OrderBy(i => i.Key, StringComparer.Ordinal).Select(i => (string[])[i.Key, i.Value])]));
        return 0;
    }

    /// <summary>Tries all, then tells which failed.</summary>
    private static async Task<int> RemoveAsync(ToolContext context, IReadOnlyList<string> pools)
    {
        if (pools.Count == 0)
        {
            throw new UsageException("the following arguments are required: POOL");
        }

        List<string> failures = [];
        foreach (string pool in pools)
        {
            try
            {
                await context.App.RemovePoolAsync(pool);
            }
            catch (QubesException failure)
            {
                failures.Add(failure.Message);
            }
        }

        return failures.Count == 0 ? 0 : throw new ToolException(string.Join('\n', failures));
    }

    private static async Task<int> SetAsync(ToolContext context, string pool, Dictionary<string, string> options)
    {
        if (options.Keys.FirstOrDefault(o => !Settable.Contains(o)) is { } other)
        {
            throw new ToolException($"Setting option {other} is not supported for pool {pool}");
        }

        foreach ((string option, string value) in options)
        {
            await context.App.CallAsync("admin.pool.Set." + option, pool, value);
        }

        return 0;
    }

    // One option a time, or several with commas between.
    private static Dictionary<string, string> Options(ParsedArguments arguments)
    {
        Dictionary<string, string> options = new(StringComparer.Ordinal);
        foreach (string word in arguments.All("option").SelectMany(o => o.Split(',')))
        {
            string[] parts = word.Split('=', 2);
            options[parts[0]] = parts.Length == 2 ? parts[1] : throw new UsageException($"Invalid option: '{word}', expected NAME=VALUE");
        }

        return options;
    }

    private static string Only(IReadOnlyList<string> words, string otherwise) => words is [string one] ? one : throw new UsageException(otherwise);
}
