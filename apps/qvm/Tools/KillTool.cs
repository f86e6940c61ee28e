using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-kill</c></summary>
internal sealed class KillTool : ITool
{
    public string Name => "qvm-kill";

    public string Summary => "forcefully shut down a domain";

    public string ExitStatus => "The exit status is the number of qubes that could not be killed.";

    public void Define(ArgumentParser parser) => QubeSelection.DefineMany(parser);

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        IReadOnlyList<QubeInfo> qubes = await QubeSelection.ManyAsync(context.App, arguments);
        var failed = await GenericAction.RunAsync(
            qubes, async info => await context.App[info.Name].KillAsync(), ignoreNotStarted: true);
        foreach ((QubeInfo qube, QubesException error) in failed)
        {
            context.PrintError($"Failed to kill: {qube.Name}: {error.Message}");
        }

        return failed.Count;
    }
}
