using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Libvirt;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Operations;

/// <summary>Suspends and resumes qubes, one by one and all of them around a suspend of the host.</summary>
internal sealed class QubeSleeper(LifecycleContext context, QubeStopper stopper)
{
    private static readonly TimeSpan ServiceTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Lets the guest sleep with its devices off; where it cannot, it is paused.</summary>
    internal async Task SuspendAsync(QubesVM qube)
    {
        if (qube.PowerState is not (PowerState.Running or PowerState.Transient or PowerState.Paused)
            || context.ControlOf(qube).Run is not { IsAlive: true } run)
        {
            throw QubesErrors.VMNotRunning(qube.Name);
        }

        run.IsPreparedForSleep |= qube.PowerState == PowerState.Running;
        await CallGuestAsync(qube, "qubes.SuspendPre");
        try
        {
            await context.Hypervisor.SleepAsync(DomainKey.Of(qube));
            if (run.IsAlive)
            {
                qube.Runtime.State = PowerState.Suspended;
            }
        }
        catch (LibvirtException cannot) when (IsUnsupported(cannot.Error))
        {
            if (qube.PowerState != PowerState.Paused)
            {
                await stopper.PauseAsync(qube);
            }
        }
    }

    /// <summary>Wakes a suspended qube; one that is paused goes on.</summary>
    internal async Task ResumeAsync(QubesVM qube)
    {
        QubeRun? run = context.ControlOf(qube).Run;
        if (qube.PowerState != PowerState.Suspended || run is not { IsAlive: true })
        {
            await stopper.UnpauseAsync(qube);
            if (run is { IsPreparedForSleep: true })
            {
                // It was paused in place of sleeping, and gave up devices for that.
                run.IsPreparedForSleep = false;
                await CallGuestAsync(qube, "qubes.SuspendPost");
            }

            return;
        }

        run.IsPreparedForSleep = false;
        await context.Hypervisor.WakeAsync(DomainKey.Of(qube));
        if (run.IsAlive)
        {
            qube.Runtime.State = PowerStates.Of(DomainState.Running, run.IsUsable);
        }

        await CallGuestAsync(qube, "qubes.SuspendPost");
        await qube.FireAsync("domain-resumed");
    }

    /// <summary>
    /// Before the host suspends: remembers what was paused already, lets all guests prepare, then suspends those that run.
    /// </summary>
    /// <exception cref="QubesException">Some could not be suspended; the others are.</exception>
    internal async Task SuspendAllAsync()
    {
        await context.App.FireAsync(QubeLifecycle.HostSuspendEvent);
        QubesVM[] still = [.. All().Where(IsStill)];
        await Task.Run(() => PausedList.Write(context.Paths, still.Select(qube => qube.Name.Value)));
        await CallAllAsync("qubes.SuspendPreAll", still);
        List<string> failures = [];
        await Task.WhenAll(All().Where(qube => qube.IsRunning && !still.Contains(qube)).Select(async qube =>
        {
            try
            {
                await SuspendAsync(qube);
            }
            catch (QubesException stopped) when (stopped.Is(QubesErrorNames.VMNotStarted) && qube.IsHalted)
            {
                // It ended meanwhile, which is as good.
            }
            catch (Exception failure) when (failure is QubesException or LibvirtException or LaneTimeoutException)
            {
                failures.Add($"{qube.Name}: {failure.Message}");
            }
        }));
        if (failures.Count > 0)
        {
            throw QubesErrors.General("Failed to suspend some qubes: " + string.Concat(failures.Order(StringComparer.Ordinal).Select(f => "\n" + f)));
        }
    }

    /// <summary>After the host woke up: resumes everything but what was paused before. Failures are logged.</summary>
    internal async Task ResumeAllAsync()
    {
        IReadOnlySet<string> paused = await Task.Run(() => PausedList.Take(context.Paths));
        await Task.WhenAll(All().Where(qube => IsStill(qube) && !paused.Contains(qube.Name)).Select(async qube =>
        {
            try
            {
                await ResumeAsync(qube);
            }
            catch (Exception failure) when (failure is QubesException or LibvirtException or LaneTimeoutException)
            {
                context.Log.LogError(failure, "{Qube} could not be resumed", qube.Name);
            }
        }));
        await CallAllAsync("qubes.SuspendPostAll", [.. All().Where(qube => paused.Contains(qube.Name))]);
        await context.App.FireAsync(QubeLifecycle.HostResumeEvent);
    }

    private static bool IsUnsupported(LibvirtError error) => error is LibvirtError.NotSupported or LibvirtError.OperationUnsupported
        or LibvirtError.ArgumentUnsupported or LibvirtError.ConfigurationUnsupported or LibvirtError.AgentUnresponsive;

    private static bool IsStill(QubesVM qube) => qube.PowerState is PowerState.Paused or PowerState.Suspended;

    private QubesVM[] All() => [.. context.App.Domains.OfType<QubesVM>()];

    private Task CallAllAsync(string service, QubesVM[] except) =>
        Task.WhenAll(All().Where(qube => qube.PowerState == PowerState.Running && !except.Contains(qube)).Select(qube => CallGuestAsync(qube, service)));

    /// <summary>Lets the guest prepare or recover. A guest that cannot does not keep the host from sleeping.</summary>
    private async Task CallGuestAsync(QubesVM qube, string service)
    {
        if (context.Services is not { } services || qube.PowerState != PowerState.Running
            || string.IsNullOrEmpty(qube.Features.CheckWithTemplate("qrexec")))
        {
            return;
        }

        try
        {
            CapturedProcess ended = await services.RunAsync(qube.Name, service, "root", default, ServiceTimeout);
            if (!ended.Exit.IsSuccess)
            {
                context.Log.LogWarning("{Service} of {Qube} failed: {Exit} {Error}", service, qube.Name, ended.Exit, ended.ErrorText);
            }
        }
        catch (Exception failure) when (failure is TimeoutException or LinuxException)
        {
            context.Log.LogWarning("{Service} of {Qube} failed: {Reason}", service, qube.Name, failure.Message);
        }
    }
}
