using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Model.Classes;

namespace Qubes.Lifecycle.Daemons;

/// <summary>Sees to it that a running qube has its daemon of one kind.</summary>
/// <param name="stopping">We stop: daemons stay as they are, for the next run of this program to take over.</param>
internal sealed class DaemonSupervisor(IQubeDaemons daemons, TimeProvider time, ILogger log, CancellationToken stopping)
{
    // A daemon that cannot stay up is a fault to be looked at, not to be repeated for ever.
    private const int MostRestarts = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    // The daemon sees its guest go before the hypervisor tells us: that is no failure of the daemon.
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(1);

    /// <summary>For a start: when it returns, the daemon is ready and connected.</summary>
    public Task StartAsync(LocalQube qube, QubeRun run) => StartAsync(qube, run, isFirst: true, run.Ended);

    /// <summary>For a qube found running: takes the daemon that is there, or starts one in the background.</summary>
    public async Task AdoptAsync(LocalQube qube, QubeRun run)
    {
        if (await daemons.FindAsync(qube.Name) is not { } found)
        {
            _ = RestartAsync(qube, run);
            return;
        }

        run.Daemons[daemons] = found;
        _ = WatchAsync(qube, run, found);
        try
        {
            await daemons.ConnectAsync(qube, run, found, isNew: false);
        }
        catch (Exception failure)
        {
            // Its end is noticed, and another one started.
            log.LogError(failure, "The {Daemon} of {Qube} does not answer: it is replaced", daemons.Title, qube.Name);
            found.Kill();
        }
    }

    /// <summary>The names of the qubes whose daemons have left a socket, served or not. Reads a directory.</summary>
    public IEnumerable<string> ListServed() => daemons.ListServed();

    /// <summary>Ends the daemon of a qube that stopped while nobody was there to end it.</summary>
    public async Task StopLeftoverAsync(LocalQube qube)
    {
        if (await daemons.FindAsync(qube.Name) is { } leftover)
        {
            await leftover.StopAsync(time);
        }
    }

    private async Task StartAsync(LocalQube qube, QubeRun run, bool isFirst, CancellationToken ended)
    {
        QubeDaemon daemon = await daemons.StartAsync(qube, isFirst, ended);
        if (run.HasEnded)
        {
            // The stop was handled meanwhile, with the daemons that were there then.
            await daemon.StopAsync(time);
            return;
        }

        run.Daemons[daemons] = daemon;
        try
        {
            await daemons.ConnectAsync(qube, run, daemon, isNew: true);
        }
        catch
        {
            daemon.Kill();
            throw;
        }

        _ = WatchAsync(qube, run, daemon);
    }

    private async Task WatchAsync(LocalQube qube, QubeRun run, QubeDaemon daemon)
    {
        await daemon.Exited.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(run.Ended, stopping);
        try
        {
            await Task.Delay(StopGrace, time, ended.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        log.LogError("The {Daemon} of {Qube} ended while the qube runs", daemons.Title, qube.Name);
        await RestartAsync(qube, run);
    }

    private async Task RestartAsync(LocalQube qube, QubeRun run)
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
                    await Task.Delay(pause, time, ended.Token);
                }

                await StartAsync(qube, run, isFirst: false, ended.Token);
                return;
            }
            catch (Exception failure)
            {
                if (!ended.IsCancellationRequested)
                {
                    log.LogError(failure, "The {Daemon} of {Qube} could not be started again", daemons.Title, qube.Name);
                }
            }
        }
    }
}
