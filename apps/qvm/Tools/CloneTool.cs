using Qubes.Client;
using Qubes.Client.Cloning;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-clone</c></summary>
internal sealed class CloneTool : ITool
{
    public string Name => "qvm-clone";

    public string Summary => "clone an existing domain";

    public void Define(ArgumentParser parser)
    {
        parser.Option("--class -C", "class", "class of the new qube, by default that of the cloned one", placeholder: "CLASS");
        parser.Flag("--ignore-errors", "ignore-errors", "go on where a setting cannot be copied");
        parser.Option("-P", "pool", "pool for all volumes of the new qube", placeholder: "POOL");
        parser.Option("--pool -p", "volume-pool", "pool for one volume; may be repeated", placeholder: "VOLUME=POOL");
        parser.ExclusiveKeys.Add(["pool", "volume-pool"]);
        QubeSelection.DefineOne(parser);
        parser.Positional("NEWVM", "new-name", "name of the new qube");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        Dictionary<string, string> pools = new(StringComparer.Ordinal);
        foreach (string word in arguments.All("volume-pool"))
        {
            string[] parts = word.Split('=', 2);
            pools[parts[0]] = parts.Length == 2 && parts[0].Length > 0
                ? parts[1]
                : throw new UsageException("Pool argument must be of form: -p volume_name=pool_name");
        }

        QubeInfo source = await QubeSelection.OneAsync(context.App, arguments.Required(QubeSelection.Names));
        QubeCloner cloner = new(context.App, new CloneOptions
        {
            ClassName = arguments.Last("class") ?? source.Class,
            Pool = arguments.Last("pool"),
            VolumePools = pools,
            IgnoreErrors = arguments.Has("ignore-errors"),
            Report = context.Tell,
        });
        await cloner.CloneAsync(context.App[source.Name], arguments.Required("new-name"));
        return 0;
    }
}
