using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Qrexec;
using Qubes.Model.Classes;

namespace Qubes.Lifecycle.Operations;

/// <summary>Sees to it that a running qube has its qrexec daemon.</summary>
/// <param name="stopping">We stop: daemons stay as they are, for the next run of this program to take over.</param>
internal sealed class QrexecSupervisor(LifecycleContext context, CancellationToken stopping)
{
    // A daemon that cannot stay up is a fault to be looked at, not to be repeated for ever.
    private const int MostRestarts = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    // The daemon sees its guest go before the hypervisor tells us: that is no failure of the daemon.
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(1);

    /// <summary>For a start: waits for the agent if the guest announces one.</summary>
    internal async Task StartAsync(QubesVM qube, QubeRun run)
    {
        if (context.Qrexec is not { } daemons)
        {
            return;
        }

        run.Daemon = await daemons.StartAsync(QrexecDaemonRequest.Of(qube, wait: true), run.Ended);
        _ = WatchAsync(qube, run, run.Daemon);
    }

    /// <summary>For a qube found running: takes the daemon that is there, or starts one in the background.</summary>
    internal async Task AdoptAsync(QubesVM qube, QubeRun run)
    {
        if (context.Qrexec is not { } daemons)
        {
            return;
        }

        if (await daemons.FindAsync(qube.Name) is { } found)
        {
            run.Daemon = found;
            _ = WatchAsync(qube, run, found);
        }
        else
        {
            _ = RestartAsync(qube, run);
        }
    }

    private async Task WatchAsync(QubesVM qube, QubeRun run, QrexecDaemon daemon)
    {
        await daemon.Exited.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(run.Ended, stopping);
        try
        {
            await Task.Delay(StopGrace, context.Time, ended.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        context.Log.LogError("The qrexec daemon of {Qube} ended while the qube runs", qube.Name);
        await RestartAsync(qube, run);
    }

    private async Task RestartAsync(QubesVM qube, QubeRun run)
    {
        // Our own stop ends the wait and the attempt under way, whose daemon nobody would know of.
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(run.Ended, stopping);
        TimeSpan pause = FirstPause;
        for (int attempt = 0; attempt < MostRestarts && run.IsAlive && !stopping.IsCancellationRequested; attempt++, pause *= 2)
        {
            try
            {
                if (attempt > 0)
                {
                    await Task.Delay(pause, context.Time, ended.Token);
                }

                QrexecDaemon daemon = await context.Qrexec!.StartAsync(QrexecDaemonRequest.Of(qube, wait: false), ended.Token);
                if (run.HasEnded)
                {
                    // The stop was handled meanwhile, with the daemon that was there then.
                    await daemon.StopAsync(context.Time);
                    return;
                }

                run.Daemon = daemon;
                _ = WatchAsync(qube, run, daemon);
                return;
            }
            catch (Exception failure)
            {
                if (!ended.IsCancellationRequested)
                {
                    context.Log.LogError(failure, "The qrexec daemon of {Qube} could not be started again", qube.Name);
                }
            }
        }
    }
}
