using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-unpause</c></summary>
internal sealed class UnpauseTool : ITool
{
    public string Name => "qvm-unpause";

    public string Summary => "unpause a domain";

    public void Define(ArgumentParser parser) => QubeSelection.DefineMany(parser);

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        IReadOnlyList<QubeInfo> qubes = await QubeSelection.ManyAsync(context.App, arguments);
        bool all = arguments.Has("all");
        var failed = await GenericAction.RunAsync(qubes, async info =>
        {
            Qube qube = context.App[info.Name];
            if (all && !string.IsNullOrEmpty(await qube.GetFeatureAsync("internal")))
            {
                return;
            }

            await (await qube.GetPowerStateAsync() == "Suspended" ? qube.ResumeAsync() : qube.UnpauseAsync());
        });
        foreach ((QubeInfo qube, QubesException error) in failed)
        {
            context.PrintError($"Failed to unpause/resume: {qube.Name}: {error.Message}");
        }

        return failed.Count > 0 ? 1 : 0;
    }
}
