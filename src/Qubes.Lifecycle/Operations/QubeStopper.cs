using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Libvirt;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Operations;

/// <summary>Ends, pauses and resumes running qubes.</summary>
internal sealed class QubeStopper(LifecycleContext context, StopHandler stops)
{
    /// <summary>Asks the guest to power off.</summary>
    /// <param name="force">Past the refusals of handlers, and also a paused qube.</param>
    /// <param name="wait">Until its stop is handled, at most <c>shutdown_timeout</c> seconds.</param>
    internal async Task ShutdownAsync(QubesVM qube, bool force, bool wait)
    {
        if (qube.IsHalted)
        {
            throw QubesErrors.VMNotStarted(qube.Name);
        }

        try
        {
            await qube.FirePreAsync("domain-pre-shutdown", EventArguments.Of("force", force));
            // Handlers may have taken their time.
            if (context.ControlOf(qube).Run is not { IsAlive: true } run)
            {
                throw QubesErrors.VMNotStarted(qube.Name);
            }

            await PowerOffAsync(qube, run, force);
            if (wait)
            {
                await WaitAsync(qube, run);
            }
        }
        catch (Exception failure)
        {
            await qube.FireAsync("domain-shutdown-failed", EventArguments.Of("reason", failure.Message));
            throw;
        }
    }

    /// <summary>Takes the power away and waits until the stop is handled.</summary>
    internal async Task KillAsync(QubesVM qube)
    {
        if (qube.IsHalted || context.ControlOf(qube).Run is not { IsAlive: true } run)
        {
            throw QubesErrors.VMNotStarted(qube.Name);
        }

        await DestroyAsync(qube, run);
        await run.StopHandled;
    }

    /// <summary>For clean-up: no error when it is not running, and none of the stop's handlers'.</summary>
    internal async Task KillIfRunningAsync(QubesVM qube)
    {
        QubeControl control = context.ControlOf(qube);
        if (control.Run is { IsAlive: true } run)
        {
            await DestroyAsync(qube, run);
        }

        await StopHandler.SettleAsync(control);
    }

    internal async Task PauseAsync(QubesVM qube)
    {
        if (context.ControlOf(qube).Run is not { IsAlive: true } run)
        {
            throw QubesErrors.VMNotRunning(qube.Name);
        }

        if (qube.PowerState == PowerState.Paused)
        {
            // Hypervisors disagree about a second pause; for callers it is done.
            return;
        }

        await qube.FirePreAsync("domain-pre-paused");
        await OnLiveDomainAsync(qube, context.Hypervisor.SuspendAsync);
        // The event tells clients; whoever asks next must not have to wait for it.
        if (run.IsAlive)
        {
            qube.Runtime.State = PowerState.Paused;
        }
    }

    internal async Task UnpauseAsync(QubesVM qube)
    {
        if (qube.PowerState != PowerState.Paused || context.ControlOf(qube).Run is not { IsAlive: true } run)
        {
            throw QubesErrors.VMNotPaused(qube.Name);
        }

        await qube.FirePreAsync("domain-pre-unpaused");
        run.SwallowResumed = true;
        try
        {
            await OnLiveDomainAsync(qube, context.Hypervisor.ResumeAsync);
        }
        catch
        {
            run.SwallowResumed = false;
            throw;
        }

        if (run.IsAlive)
        {
            qube.Runtime.State = run.IsUsable ? PowerState.Running : PowerState.Transient;
        }

        await qube.FireAsync("domain-unpaused");
    }

    private async Task PowerOffAsync(QubesVM qube, QubeRun run, bool force)
    {
        bool isPaused = qube.PowerState == PowerState.Paused;
        if (isPaused && !force && qube is not DispVM { IsPreload: true })
        {
            throw QubesErrors.VMNotRunning(qube.Name);
        }

        try
        {
            if (isPaused)
            {
                // A paused guest cannot power itself off.
                _ = await context.Hypervisor.DestroyAsync(DomainKey.Of(qube));
            }
            else if (!await context.Hypervisor.RequestShutdownAsync(DomainKey.Of(qube)))
            {
                stops.OnGone(qube, run);
            }
        }
        catch (Exception failure) when (failure is LibvirtException or LaneTimeoutException)
        {
            context.Log.LogError(failure, "The shutdown request for {Qube} failed", qube.Name);
            throw QubesErrors.VMShutdownTimeout(qube.Name);
        }
    }

    private async Task WaitAsync(QubesVM qube, QubeRun run)
    {
        try
        {
            // Its own wait: giving up leaves the stop and its other waiters alone.
            await run.StopHandled.WaitAsync(TimeSpan.FromSeconds(qube.ShutdownTimeout), context.Time);
        }
        catch (TimeoutException)
        {
            throw QubesErrors.VMShutdownTimeout(qube.Name);
        }
    }

    private async Task DestroyAsync(QubesVM qube, QubeRun run)
    {
        _ = await context.Hypervisor.DestroyAsync(DomainKey.Of(qube));
        // Whether this call ended it or found it gone: waiting for the event would hang if that was lost with a connection.
        stops.OnGone(qube, run);
    }

    private static async Task OnLiveDomainAsync(QubesVM qube, Func<DomainKey, Task> call)
    {
        try
        {
            await call(DomainKey.Of(qube));
        }
        catch (LibvirtException gone) when (gone.Error is LibvirtError.NoDomain or LibvirtError.OperationInvalid)
        {
            throw new QubesException(QubesErrorNames.VMNotRunning, QubesErrors.VMNotRunning(qube.Name).Message, gone);
        }
    }
}
