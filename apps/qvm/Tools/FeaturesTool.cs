using Qubes.Client;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools;

/// <summary><c>qvm-features</c></summary>
internal sealed class FeaturesTool : ITool
{
    public string Name => "qvm-features";

    public string Summary => "manage the features of a domain";

    public string ExitStatus => "1 also when the feature asked for is not set.";

    public void Define(ArgumentParser parser)
    {
        QubeSelection.DefineOne(parser);
        parser.Flag("--unset --default --delete -D", "unset", "unset the feature");
        parser.Positional("FEATURE", "feature", "name of the feature", Arity.Optional);
        parser.Positional("VALUE", "value", "new value of the feature", Arity.Optional);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        string? feature = arguments.Last("feature");
        string? value = arguments.Last("value");
        bool unset = arguments.Has("unset");
        if (unset && feature is null)
        {
            throw new UsageException("--unset requires a feature");
        }

        if (unset && value is not null)
        {
            throw new UsageException("cannot both set and unset a value");
        }

        Qube qube = context.App[(await QubeSelection.OneAsync(context.App, arguments.Required(QubeSelection.Names))).Name];
        if (feature is null)
        {
            List<string[]> rows = [];
            foreach (string name in await qube.ListFeaturesAsync())
            {
                rows.Add([name, await qube.GetFeatureAsync(name) ?? ""]);
            }

            await context.Out.WriteAsync(Table.Format(rows));
        }
        else if (unset)
        {
            await qube.RemoveFeatureAsync(feature);
        }
        else if (value is not null)
        {
            await qube.SetFeatureAsync(feature, value);
        }
        else if (await qube.GetFeatureAsync(feature) is { } current)
        {
            await context.Out.WriteLineAsync(current);
        }
        else
        {
            return 1;
        }

        return 0;
    }
}
