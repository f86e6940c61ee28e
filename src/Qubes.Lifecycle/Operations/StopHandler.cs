using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Model.Classes;
using Qubes.Model.Events;

namespace Qubes.Lifecycle.Operations;

/// <summary>The one place where the end of a domain becomes the stop of a qube. Runs once per run.</summary>
internal sealed class StopHandler(LifecycleContext context)
{
    /// <summary>The hypervisor tells that the qube's domain stopped.</summary>
    internal void OnStoppedEvent(QubesVM qube)
    {
        // Events come in order: before this run's start is told, it is the stop of an earlier one, which is handled.
        if (context.ControlOf(qube).Run is { HasStarted: true } run)
        {
            OnGone(qube, run);
        }
    }

    /// <summary>The hypervisor has no running domain for this run any more.</summary>
    internal void OnGone(QubesVM qube, QubeRun run)
    {
        QubeControl control = context.ControlOf(qube);
        if (run.HasEnded || control.Run != run)
        {
            return;
        }

        run.End();
        // A domain that dies before its launch returned is the starting method's to clean up.
        if (run.IsLaunched)
        {
            _ = HandleAsync(qube, control, run);
        }
    }

    /// <summary>Waits until the last stop is handled; the failures of its handlers are theirs.</summary>
    internal static async Task SettleAsync(QubeControl control)
    {
        if (control.Run is { HasEnded: true, IsLaunched: true } run)
        {
            await run.StopHandled.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>What is known of a running domain no longer holds.</summary>
    internal static void ForgetRuntime(QubesVM qube)
    {
        qube.Runtime.State = PowerState.Halted;
        qube.Runtime.Xid = -1;
        qube.Runtime.StartTime = null;
        qube.Runtime.MemoryKiB = 0;
        qube.Runtime.CpuTimeMs = 0;
        qube.Runtime.CpuUsagePercent = 0;
        qube.Runtime.OnlineVCpus = 0;
        qube.QubesDb.Detach();
    }

    /// <summary>Tells that <c>xid</c>, <c>stubdom_xid</c> and <c>start_time</c> changed.</summary>
    internal static void AnnounceRuntime(QubesVM qube)
    {
        foreach (string property in (ReadOnlySpan<string>)["xid", "stubdom_xid", "start_time"])
        {
            qube.Fire("property-reset:" + property, EventArguments.Of("name", property));
        }
    }

    private async Task HandleAsync(QubesVM qube, QubeControl control, QubeRun run)
    {
        ForgetRuntime(qube);
        Exception? failure = null;
        try
        {
            await qube.FireAsync("domain-stopped");
        }
        catch (Exception e)
        {
            failure = e;
            context.Log.LogError(e, "A handler of domain-stopped of {Qube} failed", qube.Name);
        }

        await Task.WhenAll(run.Daemons.Values.Select(daemon => daemon.StopAsync(context.Time)));

        await StopStorageAsync(qube);
        AnnounceRuntime(qube);
        try
        {
            await qube.FireAsync("domain-shutdown");
        }
        catch (Exception e)
        {
            failure ??= e;
            context.Log.LogError(e, "A handler of domain-shutdown of {Qube} failed", qube.Name);
        }

        control.Run = null;
        if (qube is DispVM disposable && context.DisposableEnded is { } ended)
        {
            // A start under way, which has the lock, waits for this stop: what removes the qube comes after it.
            bool isStarting = control.StartLock.IsHeld;
            Task end = EndAsync(disposable, ended);
            if (!isStarting)
            {
                await end;
            }
        }

        run.FinishStop(failure);
    }

    private async Task EndAsync(DispVM disposable, Func<DispVM, Task> ended)
    {
        try
        {
            await ended(disposable);
        }
        catch (Exception e)
        {
            context.Log.LogError(e, "What follows the stop of {Qube} failed", disposable.Name);
        }
    }

    private async Task StopStorageAsync(QubesVM qube)
    {
        try
        {
            await context.StorageOf(qube).StopAsync();
        }
        catch (Exception e)
        {
            // The qube is stopped whatever becomes of its volumes; the next start takes them up again.
            context.Log.LogError(e, "The volumes of {Qube} could not all be stopped", qube.Name);
        }
    }
}
