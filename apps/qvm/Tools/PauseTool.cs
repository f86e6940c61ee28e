using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-pause</c></summary>
internal sealed class PauseTool : ITool
{
    public string Name => "qvm-pause";

    public string Summary => "pause a domain";

    public void Define(ArgumentParser parser)
    {
        QubeSelection.DefineMany(parser);
        parser.Flag("--suspend -S", "suspend", "suspend the domain instead of pausing it");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        bool suspend = arguments.Has("suspend");
        IReadOnlyList<QubeInfo> qubes = await QubeSelection.ManyAsync(context.App, arguments);
        var failed = await GenericAction.RunAsync(qubes, async info =>
        {
            Qube qube = context.App[info.Name];
            await (suspend ? qube.SuspendAsync() : qube.PauseAsync());
        });
        foreach ((QubeInfo qube, QubesException error) in failed)
        {
            context.PrintError($"Failed to {(suspend ? "suspend" : "pause")}: {qube.Name}: {error.Message}");
        }

        return failed.Count > 0 ? 1 : 0;
    }
}
