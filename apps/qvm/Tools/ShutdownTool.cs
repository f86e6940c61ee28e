using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-shutdown</c></summary>
internal sealed class ShutdownTool : ITool
{
    public string Name => "qvm-shutdown";

    public string Summary => "gracefully shut down a domain";

    public string ExitStatus => "The exit status is the number of qubes that could not be shut down.";

    public void Define(ArgumentParser parser)
    {
        QubeSelection.DefineMany(parser);
        parser.Flag("--wait", "wait", "wait for the qubes to shut down");
        parser.Option("--timeout", "timeout", "deprecated: the same as --wait, each qube's shutdown_timeout is used");
        parser.Flag("--force", "force", "also when others use what the qube provides");
        parser.Flag("--dry-run", "dry-run", "only check the names");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        IReadOnlyList<QubeInfo> pending = await QubeSelection.ManyAsync(context.App, arguments);
        bool wait = arguments.Has("wait") || arguments.Has("timeout");
        bool force = arguments.Has("force") || arguments.Has("all") && !arguments.Has("exclude");
        if (arguments.Has("timeout"))
        {
            context.Error.WriteLine("--timeout is deprecated, use the qube's shutdown_timeout property; --wait is assumed");
        }

        if (arguments.Has("dry-run"))
        {
            return 0;
        }

        Task<IReadOnlyList<(QubeInfo Qube, QubesException Error)>> ShutDownAsync(IEnumerable<QubeInfo> qubes) =>
            GenericAction.RunAsync(qubes, async q => await context.App[q.Name].ShutdownAsync(force, wait), ignoreNotStarted: true);

        List<(QubeInfo Qube, QubesException Error)> failed = [.. await ShutDownAsync(pending)];

        // Qubes others use go down once their users are down: as many rounds as it takes, while it gets fewer.
        List<QubeInfo> inUse = Which(failed, QubesErrorNames.VMInUse);
        for (int tries = inUse.Count; tries > 0 && inUse.Count > 0; tries--)
        {
            context.PrintError($"Retrying shutdown of qubes that were in use for {tries} time(s)");
            context.PrintError($"Retrying shutdown of qubes that were in use: {Join(inUse)}");
            failed.RemoveAll(f => f.Error.Is(QubesErrorNames.VMInUse));
            failed.AddRange(await ShutDownAsync(inUse));
            List<QubeInfo> still = Which(failed, QubesErrorNames.VMInUse);
            if (still.Count >= inUse.Count)
            {
                break;
            }

            inUse = still;
        }

        List<QubeInfo> timedOut = Which(failed, QubesErrorNames.VMShutdownTimeout);
        if (timedOut.Count > 0)
        {
            context.PrintError($"Retrying shutdown of qubes that timed out: {Join(timedOut)}");
            failed.RemoveAll(f => f.Error.Is(QubesErrorNames.VMShutdownTimeout));
            failed.AddRange(await ShutDownAsync(timedOut));
            timedOut = Which(failed, QubesErrorNames.VMShutdownTimeout);
        }

        if (timedOut.Count > 0)
        {
            context.PrintError($"Killing timed out qubes: {Join(timedOut)}");
            failed.RemoveAll(f => f.Error.Is(QubesErrorNames.VMShutdownTimeout));
            failed.AddRange(await GenericAction.RunAsync(
                timedOut, async q => await context.App[q.Name].KillAsync(), ignoreNotStarted: true));
        }

        foreach ((QubeInfo qube, QubesException error) in failed)
        {
            context.PrintError($"Failed to shut down: {qube.Name}: {error.Message}");
        }

        return failed.Count;
    }

    private static List<QubeInfo> Which(IEnumerable<(QubeInfo Qube, QubesException Error)> failed, string error) =>
        [.. failed.Where(f => f.Error.Is(error)).Select(f => f.Qube)];

    private static string Join(IEnumerable<QubeInfo> qubes) => string.Join(", ", qubes.Select(q => q.Name));
}
