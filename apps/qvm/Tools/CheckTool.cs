using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-check</c></summary>
internal sealed class CheckTool : ITool
{
    private static readonly string[] Conditions = ["running", "paused", "template", "networked"];

    public string Name => "qvm-check";

    public string Summary => "check whether domains exist, and in which state";

    public string ExitStatus => "1 when a qube does not exist or none matches, 3 when some of those given match and some do not.";

    public void Define(ArgumentParser parser)
    {
        QubeSelection.DefineMany(parser);
        parser.Flag("--running", "running", "check whether it is running");
        parser.Flag("--paused", "paused", "check whether it is paused");
        parser.Flag("--template", "template", "check whether it is a template");
        parser.Flag("--networked", "networked", "check whether it has access to a network");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        // Names are literal here: a pattern would hide that one of them does not exist.
        IReadOnlyList<string> names = arguments.All(QubeSelection.Names);
        if (!arguments.Has("all") && names.Count == 0)
        {
            throw new UsageException("one of the arguments --all VMNAME is required");
        }

        if (arguments.Has("all"))
        {
            names = [.. (await QubeSelection.ManyAsync(context.App, arguments)).Select(q => q.Name)];
        }

        string[] conditions = [.. Conditions.Where(arguments.Has)];
        SortedSet<string> matching = new(StringComparer.Ordinal);
        bool missing = false;
        foreach (string name in names)
        {
            if (await FindAsync(context.App[name]) is not { } info)
            {
                context.Error.WriteLine(context.Verbosity > 0 ? $"{Name}: {name}: non-existent!" : $"{name}: non-existent!");
                missing = true;
            }
            else if (await MatchesAsync(context.App[name], info, conditions))
            {
                matching.Add(name);
            }
        }

        foreach (string name in matching)
        {
            context.Say($"{name}: {(conditions.Length == 0 ? "exists" : string.Join(", ", conditions))}");
        }

        if (conditions.Length > 0 && matching.Count == 0 && !missing)
        {
            context.Say($"None of qubes: {string.Join(", ", conditions)}");
        }

        return missing || matching.Count == 0 ? 1
            : matching.Count < names.Distinct().Count() ? 3 : 0;
    }

    private static async Task<QubeInfo?> FindAsync(Qube qube)
    {
        try
        {
            return await qube.GetInfoAsync();
        }
        catch (QubesException e) when (e.Is(QubesErrorNames.VMNotFound) || e.Is(QubesErrorNames.Value))
        {
            return null;
        }
    }

    private static async Task<bool> MatchesAsync(Qube qube, QubeInfo info, string[] conditions)
    {
        foreach (string condition in conditions)
        {
            bool holds = condition switch
            {
                "running" => info.State is not ("Halted" or "NA"),
                "paused" => info.State == "Paused",
                "template" => info.Class == "TemplateVM",
                _ => await IsNetworkedAsync(qube),
            };
            if (!holds)
            {
                return false;
            }
        }

        return true;
    }

    private static async Task<bool> IsNetworkedAsync(Qube qube)
    {
        IReadOnlyDictionary<string, PropertyValue> values = await qube.GetPropertiesAsync();
        return values.GetValueOrDefault("provides_network")?.AsBool == true || values.GetValueOrDefault("netvm")?.Raw is { Length: > 0 };
    }
}
