using Qubes.Client;
using Qubes.Protocol.Properties;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools;

/// <summary><c>qvm-service</c></summary>
internal sealed class ServiceTool : ITool
{
    private const string Prefix = "service.";

    public string Name => "qvm-service";

    public string Summary => "manage the services of a domain";

    public string ExitStatus => "1 also when the service asked for is not set.";

    public void Define(ArgumentParser parser)
    {
        QubeSelection.DefineOne(parser);
        parser.Flag("--enable -e", "enable", "switch the service on");
        parser.Flag("--disable -d", "disable", "switch the service off");
        parser.Flag("--unset --default --delete -D", "unset", "leave the service to the domain itself");
        parser.Flag("--list -l", "list", "list the services that are set");
        parser.Positional("SERVICE", "service", "name of the service", Arity.Optional);
        parser.Positional("VALUE", "value", "on (also 1, yes, true) or off (also 0, no, false)", Arity.Optional);
        parser.ExclusiveKeys.Add(["enable", "disable", "unset", "list"]);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        string? service = arguments.Last("service");
        string? value = arguments.Last("value");
        bool changes = arguments.Has("enable") || arguments.Has("disable") || arguments.Has("unset");
        if (changes && service is null)
        {
            throw new UsageException("the following arguments are required: SERVICE");
        }

        if (changes && value is not null)
        {
            throw new UsageException("cannot both set and unset a value");
        }

        Qube qube = context.App[(await QubeSelection.OneAsync(context.App, arguments.Required(QubeSelection.Names))).Name];
        if (service is null || arguments.Has("list"))
        {
            await ListAsync(context, qube);
            return 0;
        }

        if (arguments.Has("unset"))
        {
            await qube.RemoveFeatureAsync(Prefix + service);
            return 0;
        }

        if (changes || value is not null)
        {
            bool on = value is null ? arguments.Has("enable")
                : PropertyPayload.TryBool(value) ?? throw new ToolException($"Invalid literal for boolean value: '{value}'");
            await qube.SetFeatureAsync(Prefix + service, on ? "1" : "");
            return 0;
        }

        if (await qube.GetFeatureAsync(Prefix + service) is not { } current)
        {
            return 1;
        }

        await context.Out.WriteLineAsync(OnOrOff(current));
        return 0;
    }

    private static async Task ListAsync(ToolContext context, Qube qube)
    {
        List<string[]> rows = [];
        foreach (string feature in await qube.ListFeaturesAsync())
        {
            if (feature.StartsWith(Prefix, StringComparison.Ordinal))
            {
                rows.Add([feature[Prefix.Length..], OnOrOff(await qube.GetFeatureAsync(feature) ?? "")]);
            }
        }

        await context.Out.WriteAsync(Table.Format(rows));
    }

    private static string OnOrOff(string value) => value.Length > 0 ? "on" : "off";
}
