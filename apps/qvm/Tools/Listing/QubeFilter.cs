using Qubes.Client;
using Qvm.CommandLine;

namespace Qvm.Tools.Listing;

/// <summary>The filters of <c>qvm-ls</c>; a qube is shown when it passes all that are given.</summary>
internal static class QubeFilter
{
    private static readonly string[] YesNoFilters = ["internal", "servicevm"];

    public static void Define(ArgumentParser parser)
    {
        parser.Option("--class", "class", "show only qubes of these classes", Arity.OneOrMore);
        parser.Option("--label", "label", "show only qubes with these labels", Arity.OneOrMore);
        parser.Option("--tags", "tags", "show only qubes having one of these tags", Arity.OneOrMore);
        parser.Option("--exclude-tags", "exclude-tags", "show only qubes having none of these tags", Arity.OneOrMore);
        parser.Flag("--running", "running", "show qubes that are running");
        parser.Flag("--paused", "paused", "show qubes that are paused");
        parser.Flag("--halted", "halted", "show qubes that are halted");
        parser.Option("--template-source", "template-source", "show only qubes based on these templates", Arity.OneOrMore);
        parser.Option("--netvm-is", "netvm-is", "show only qubes connected to these qubes", Arity.OneOrMore);
        parser.Option("--internal", "internal", "show only internal qubes, or hide them", choices: ["y", "yes", "n", "no"]);
        parser.Option("--servicevm", "servicevm", "show only service qubes, or hide them", choices: ["y", "yes", "n", "no"]);
        parser.Flag("--pending-update", "pending-update", "show only qubes with pending updates");
        parser.Option("--features", "features", "show only qubes with these values of features", Arity.OneOrMore, "FEATURE=VALUE");
        parser.Option("--prefs", "prefs", "show only qubes with these values of properties", Arity.OneOrMore, "PREFERENCE=VALUE");
    }

    /// <summary>Keeps the rows that pass. Tags and features cost a call a qube, made only if a filter asks.</summary>
    public static async Task<IReadOnlyList<QubeRow>> ApplyAsync(QubesApp app, IReadOnlyList<QubeRow> rows, ParsedArguments arguments)
    {
        (string Name, string Value)[] features = Conditions(arguments, "features");
        (string Name, string Value)[] prefs = Conditions(arguments, "prefs");
        string[] states = [.. new[] { ("running", "Running"), ("paused", "Paused"), ("halted", "Halted") }
            .Where(s => arguments.Has(s.Item1)).Select(s => s.Item2)];
        List<QubeRow> kept = [];
        foreach (QubeRow row in rows)
        {
            if (PassesProperties(row, arguments, states) && prefs.All(p => PreferenceText(row, p.Name) == p.Value)
                && await PassesFeaturesAsync(app[row.Info.Name], arguments, features)
                && await PassesTagsAsync(app[row.Info.Name], arguments))
            {
                kept.Add(row);
            }
        }

        return kept;
    }

    private static bool PassesProperties(QubeRow row, ParsedArguments arguments, string[] states)
    {
        return Among("class", row.Info.Class) && Among("label", row.Text("label"))
            && Among("template-source", row.Property("template")?.Raw, absent: "")
            && Among("netvm-is", row.Netvm, absent: "")
            && (states.Length == 0 || states.Contains(row.Info.State));

        // An empty word asks for qubes which have no such property at all, not for those where it is none.
        bool Among(string key, string? value, string? absent = null) =>
            !arguments.Has(key) || arguments.All(key).Contains(value is null ? absent : value.Length == 0 && absent is not null ? null : value);
    }

    private static async Task<bool> PassesFeaturesAsync(Qube qube, ParsedArguments arguments, (string Name, string Value)[] features)
    {
        foreach (string key in YesNoFilters)
        {
            if (arguments.Last(key) is { } wanted && (await qube.GetFeatureAsync(key) is "1" or "true" or "True") != wanted.StartsWith('y'))
            {
                return false;
            }
        }

        if (arguments.Has("pending-update") && string.IsNullOrEmpty(await qube.GetFeatureAsync("updates-available")))
        {
            return false;
        }

        foreach ((string name, string value) in features)
        {
            string? actual = await qube.GetFeatureAsync(name);
            bool passes = value switch
            {
                "" => actual is null,
                "''" or "\"\"" => actual is "",
                _ => actual == value,
            };
            if (!passes)
            {
                return false;
            }
        }

        return true;
    }

    private static async Task<bool> PassesTagsAsync(Qube qube, ParsedArguments arguments)
    {
        if (!arguments.Has("tags") && !arguments.Has("exclude-tags"))
        {
            return true;
        }

        string[] tags = await qube.ListTagsAsync();
        return (!arguments.Has("tags") || arguments.All("tags").Any(tags.Contains)) && !arguments.All("exclude-tags").Any(tags.Contains);
    }

    private static string? PreferenceText(QubeRow row, string property) =>
        row.Property(property) is { } value ? value.IsNone ? "None" : value.Raw : null;

    private static (string, string)[] Conditions(ParsedArguments arguments, string key) =>
    [
        .. arguments.All(key).Select(c => c.Split('=', 2) is [string name, string value]
            ? (name, value)
            : throw new UsageException($"Invalid argument: --{key} {c}")),
    ];
}
