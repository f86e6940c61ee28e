using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-start</c></summary>
internal sealed class StartTool : ITool
{
    public string Name => "qvm-start";

    public string Summary => "start a domain";

    public void Define(ArgumentParser parser)
    {
        QubeSelection.DefineMany(parser);
        parser.Flag("--skip-if-running", "skip", "do not fail if the qube is already running");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        IReadOnlyList<QubeInfo> qubes = await QubeSelection.ManyAsync(context.App, arguments);
        var failed = await GenericAction.RunAsync(qubes, async info =>
        {
            Qube qube = context.App[info.Name];
            bool isRunning = await qube.GetPowerStateAsync() is not ("Halted" or "NA");
            if (!isRunning)
            {
                await qube.StartAsync();
            }
            else if (!arguments.Has("skip"))
            {
                throw new QubesException("Domain is already running");
            }
        });
        foreach ((QubeInfo qube, QubesException error) in failed)
        {
            context.PrintError($"Starting qube failed: {qube.Name}: {error.Message}");
        }

        return failed.Count > 0 ? 1 : 0;
    }
}
