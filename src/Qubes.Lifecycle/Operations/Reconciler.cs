using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Daemons;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Lifecycle.QubesDb;
using Qubes.Libvirt;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Lifecycle.Operations;

/// <summary>
/// Brings the model in line with the domains there are: at daemon start, after a lost connection, and when a domain of ours
/// appears that we have not started.
/// </summary>
internal sealed class Reconciler(LifecycleContext context, StopHandler stops, QubeDatabases databases, DaemonSupervisor? qrexec)
{
    private const int LeftoversAtOnce = 64;

    /// <summary>
    /// One look at all domains: qubes found running are taken over with no event, those no longer running are stopped.
    /// </summary>
    internal async Task ReconcileAsync()
    {
        // A run that begins while the look is taken is not judged by it.
        HashSet<QubeRun> before = [.. Qubes().Select(qube => context.ControlOf(qube).Run).OfType<QubeRun>().Where(run => run.IsAlive)];
        IReadOnlyList<DomainSample> samples = await context.Hypervisor.GetAllAsync();
        Dictionary<Guid, DomainSample> active = [];
        foreach (DomainSample sample in samples)
        {
            if (sample.IsActive)
            {
                active[sample.Uuid] = sample;
            }
        }

        foreach (QubesVM qube in Qubes())
        {
            QubeControl control = context.ControlOf(qube);
            bool isActive = active.TryGetValue(qube.Uuid.Value, out DomainSample sample);
            if (control.Run is { IsAlive: true } run)
            {
                if (isActive)
                {
                    run.HasStarted = true;
                    FollowState(qube, run, sample.State);
                }
                else if (before.Contains(run))
                {
                    stops.OnGone(qube, run);
                }
            }
            else if (isActive && control.Run is null && !control.StartLock.IsHeld)
            {
                await AdoptOrDestroyAsync(qube, control, sample);
            }
        }
    }

    /// <summary>
    /// For daemon start: ends what is left of qubes that were running when the last daemon ended and are not any more.
    /// </summary>
    internal async Task StopLeftoversAsync()
    {
        LeftoverSurvey volumes = await context.Storage.SurveyLeftoversAsync();
        HashSet<string> served = await Task.Run(() => (HashSet<string>)[.. databases.ListServed(), .. qrexec?.ListServed() ?? []]);
        foreach (QubesVM[] some in Qubes().Where(qube => volumes.MayHaveLeftovers(qube) || served.Contains(qube.Name)).Chunk(LeftoversAtOnce))
        {
            await Task.WhenAll(some.Select(StopLeftoversAsync));
        }
    }

    /// <summary>A pool's driver has come: the same for qubes with volumes there, about which nothing could be done without it.</summary>
    /// <param name="started">The ids of volumes that were started and not stopped.</param>
    internal async Task StopLeftoversAsync(string pool, IReadOnlyList<string> started)
    {
        LeftoverSurvey volumes = await context.Storage.SurveyLeftoversAsync(pool, started);
        foreach (QubesVM[] some in Qubes().Where(qube => context.ControlOf(qube).Run is not { HasEnded: false } && volumes.MayHaveLeftovers(qube)).Chunk(LeftoversAtOnce))
        {
            await Task.WhenAll(some.Select(StopLeftoversAsync));
        }
    }

    private async Task StopLeftoversAsync(QubesVM qube)
    {
        QubeControl control = context.ControlOf(qube);
        try
        {
            using AsyncLock.Holder held = await control.StartLock.AcquireAsync();
            await StopHandler.SettleAsync(control);
            if (control.Run is null && qube.IsInCollection)
            {
                await StopLeftoverDaemonAsync(qube);
                await context.StorageOf(qube).StopAsync();
            }
        }
        catch (QubesException failure) when (DriverGoneException.IsCauseOf(failure))
        {
            context.Log.LogWarning("Volumes of {Qube} are stopped later: {Reason}", qube.Name, LogText.Escape(failure.Message));
        }
        catch (Exception failure)
        {
            context.Log.LogError(failure, "The volumes of {Qube} could not all be stopped", qube.Name);
        }
    }

    internal async Task OnUnexpectedStartAsync(QubesVM qube)
    {
        try
        {
            QubeControl control = context.ControlOf(qube);
            IReadOnlyList<DomainSample> samples = await context.Hypervisor.GetAllAsync();
            foreach (DomainSample sample in samples)
            {
                if (sample.Uuid == qube.Uuid.Value && sample.IsActive && control.Run is null && !control.StartLock.IsHeld)
                {
                    await AdoptOrDestroyAsync(qube, control, sample);
                }
            }
        }
        catch (Exception failure)
        {
            context.Log.LogError(failure, "The domain of {Qube}, which was not started here, could not be looked at", qube.Name);
        }
    }

    /// <summary>
    /// A running domain whose volumes are started is the qube. One whose volumes are not (a launch given up that succeeded late, or
    /// somebody's own start past this daemon) would write into images that a later start takes for stopped.
    /// </summary>
    private async Task AdoptOrDestroyAsync(QubesVM qube, QubeControl control, DomainSample sample)
    {
        if (!IsStarted(qube))
        {
            context.Log.LogError("The domain of {Qube} runs without having been started here: it is ended", qube.Name);
            _ = await context.Hypervisor.DestroyAsync(DomainKey.Of(qube));
            return;
        }

        QubeRun run = new() { HasStarted = true, IsLaunched = true, IsUsable = true };
        control.Run = run;
        qube.Runtime.Xid = sample.Id;
        qube.Runtime.StartTime = StartTimeOf(qube);
        qube.Runtime.MemoryKiB = (long)sample.MemoryKiB;
        qube.Runtime.CpuTimeMs = (long)(sample.CpuTimeNanoseconds / 1_000_000);
        qube.Runtime.State = PowerStates.Of(sample.State, isUsable: true);
        context.Log.LogInformation("Took over the running qube {Qube} (domain {Xid})", qube.Name, sample.Id);
        await databases.AdoptAsync(qube, run);
        await (qrexec?.AdoptAsync(qube, run) ?? Task.CompletedTask);
    }

    private QubesVM[] Qubes() => [.. context.App.Domains.OfType<QubesVM>()];

    private bool IsStarted(QubesVM qube)
    {
        try
        {
            return context.StorageOf(qube).IsStarted;
        }
        catch (Exception failure)
        {
            // Its configuration makes no sense any more. Better a qube too many than data lost.
            context.Log.LogError(failure, "Whether the volumes of {Qube} are started cannot be told", qube.Name);
            return true;
        }
    }

    /// <summary>QEMU makes the vchan port's socket when it starts.</summary>
    private double? StartTimeOf(QubesVM qube)
    {
        FileInfo socket = new(context.Paths.VchanPortSocket(qube.Name));
        return socket.Exists ? new DateTimeOffset(socket.LastWriteTimeUtc).ToUnixTimeMilliseconds() / 1000.0 : null;
    }

    private static void FollowState(QubesVM qube, QubeRun run, DomainState state)
    {
        PowerState was = qube.Runtime.State;
        qube.Runtime.State = PowerStates.Of(state, run.IsUsable);
        if (qube.Runtime.State == PowerState.Paused && was is PowerState.Running or PowerState.Transient)
        {
            qube.Fire("domain-paused");
        }
        else if (was == PowerState.Paused && qube.Runtime.State is PowerState.Running or PowerState.Transient)
        {
            _ = qube.FireAsync("domain-unpaused");
        }
    }

    /// <summary>Its guest ended while nobody was there to end it.</summary>
    private async Task StopLeftoverDaemonAsync(QubesVM qube)
    {
        await databases.StopLeftoverAsync(qube);
        await (qrexec?.StopLeftoverAsync(qube) ?? Task.CompletedTask);
    }
}
