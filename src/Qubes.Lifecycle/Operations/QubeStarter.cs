using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Boot;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Daemons;
using Qubes.Lifecycle.Devices;
using Qubes.Lifecycle.DomainXml;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Lifecycle.QubesDb;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Lifecycle.Operations;

/// <summary>Starts qubes. On any failure nothing of the attempt remains, and clients are told by <c>domain-start-failed</c>.</summary>
internal sealed class QubeStarter(LifecycleContext context, DomainSpecs specs, QubeStopper stopper, QubeDatabases databases, DaemonSupervisor? qrexec)
{
    private static readonly EventArguments StartArguments = EventArguments.Of("start_guid", value: true);

    /// <summary>Any state but Halted: success without doing anything.</summary>
    internal async Task StartAsync(QubesVM qube)
    {
        QubeControl control = context.ControlOf(qube);
        using AsyncLock.Holder held = await control.StartLock.AcquireAsync();
        if (!qube.IsInCollection)
        {
            throw QubesErrors.VMNotFound(qube.Name);
        }

        if (qube.PowerState != PowerState.Halted)
        {
            return;
        }

        await StopHandler.SettleAsync(control);
        if (qube.Features.Get("prohibit-start") is { Length: > 0 } rationale)
        {
            QubesException prohibited = QubesErrors.General($"Qube start is prohibited. Rationale: {rationale}");
            await TellFailureAsync(qube, prohibited);
            throw prohibited;
        }

        await using Rollback rollback = new(context.Log);
        try
        {
            await RunStepsAsync(qube, control, rollback);
        }
        catch (Exception failure)
        {
            // Before the roll-back, whose own events follow.
            await TellFailureAsync(qube, failure);
            throw;
        }

        rollback.Commit();
    }

    private async Task RunStepsAsync(QubesVM qube, QubeControl control, Rollback rollback)
    {
        await qube.FirePreAsync("domain-pre-start", EventArguments.Of(("start_guid", true), ("mem_required", null)));
        FaultPoint.Hit("start-announced");
        await RequiredDevices.VerifyAsync(qube);
        QubeStorage storage = context.StorageOf(qube);
        await VerifyAsync(qube, storage);
        if (qube.NetVM is { Qid: not 0, IsRunning: false } netvm)
        {
            await StartAsync(netvm);
        }

        await storage.StartAsync();
        rollback.Push("volumes", async () => await storage.StopAsync());
        FaultPoint.Hit("start-volumes-started");

        await qube.FirePreAsync("domain-pre-spawn", StartArguments);
        DomainSpec spec = await AddDevicesAsync(qube, await specs.BuildAsync(qube, storage));
        QubeRun run = await LaunchAsync(qube, control, spec, rollback);
        FaultPoint.Hit("start-launched");
        StopHandler.AnnounceRuntime(qube);
        if (run.HasEnded)
        {
            throw QubesErrors.VM($"The domain of '{qube.Name}' stopped at once, see {context.Paths.GuestConsoleLog(qube.Name)} for details");
        }

        // From here the stop handler undoes the steps before: it stops the volumes and tells clients.
        run.IsLaunched = true;
        rollback.Commit();
        rollback.Push("domain", async () => await stopper.KillIfRunningAsync(qube));
        await qube.FireAsync("domain-spawn", StartArguments);
        await databases.StartAsync(qube, run);
        FaultPoint.Hit("start-database-filled");
        await ResumeAsync(qube, run);
        FaultPoint.Hit("start-resumed");
        await (qrexec?.StartAsync(qube, run) ?? Task.CompletedTask);
        FaultPoint.Hit("start-connected");
        BecomeUsable(qube, run);
        await qube.FireAsync("domain-start", StartArguments);
        if (run.HasEnded)
        {
            throw QubesErrors.VM($"Qube '{qube.Name}' has stopped while it was being started");
        }

        FaultPoint.Hit("start-done");
    }

    private async Task VerifyAsync(QubesVM qube, QubeStorage storage)
    {
        string directory = context.DirectoryOf(qube);
        if (!await Task.Run(() => Directory.Exists(directory)))
        {
            throw QubesErrors.VM($"VM directory does not exist: {qube.DirectoryName}");
        }

        await storage.VerifyAsync();
        qube.Fire("domain-verify-files");
    }

    private async Task<DomainSpec> AddDevicesAsync(QubesVM qube, DomainSpec spec)
    {
        try
        {
            return context.ExtraDevices is { } ask ? spec with { ExtraDevices = await ask(qube, DomainXmlText.Render(spec)) } : spec;
        }
        catch (DomainXmlException failure)
        {
            throw new QubesException(QubesErrorNames.VMError, failure.Message, failure);
        }
    }

    /// <summary>Launches the domain, stopped. While it is under way, events tell whether it lives.</summary>
    private async Task<QubeRun> LaunchAsync(QubesVM qube, QubeControl control, DomainSpec spec, Rollback rollback)
    {
        QubeRun run = new() { SwallowSuspended = true };
        control.Run = run;
        rollback.Push("run", () =>
        {
            StopHandler.ForgetRuntime(qube);
            control.Run = null;
        });
        // Pushed before the call: one that overran its deadline may still succeed.
        rollback.Push("domain", async () => await context.Hypervisor.DestroyAsync(DomainKey.Of(qube)));
        try
        {
            int xid = await context.Hypervisor.LaunchAsync(spec);
            qube.Runtime.Xid = xid;
            qube.Runtime.StartTime = context.Time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
            qube.Runtime.MemoryKiB = spec.MemoryMiB * 1024L;
            qube.Runtime.State = PowerState.Transient;
            return run;
        }
        catch (DomainXmlException failure)
        {
            throw new QubesException(QubesErrorNames.VMError, failure.Message, failure);
        }
    }

    private async Task ResumeAsync(QubesVM qube, QubeRun run)
    {
        await qube.FirePreAsync("domain-pre-unpaused");
        run.SwallowResumed = true;
        await context.Hypervisor.ResumeAsync(DomainKey.Of(qube));
        if (run.IsAlive && qube.PowerState == PowerState.Paused)
        {
            // Somebody paused it before it ran.
            qube.Runtime.State = PowerState.Transient;
        }

        await qube.FireAsync("domain-unpaused");
    }

    private static void BecomeUsable(QubesVM qube, QubeRun run)
    {
        run.IsUsable = true;
        if (!run.HasEnded && qube.Runtime.State == PowerState.Transient)
        {
            qube.Runtime.State = PowerState.Running;
        }
    }

    private async Task TellFailureAsync(QubesVM qube, Exception failure)
    {
        if (failure is QubesException { InnerException: null })
        {
            // Somebody refused it; where in the program says nothing about that.
            context.Log.LogWarning("Start of {Qube} failed: {Reason}", qube.Name, LogText.Escape(failure.Message));
        }
        else
        {
            context.Log.LogError(failure, "Start of {Qube} failed", qube.Name);
        }

        try
        {
            await qube.FireAsync("domain-start-failed", EventArguments.Of("reason", failure.Message));
        }
        catch (Exception e)
        {
            context.Log.LogError(e, "A handler of domain-start-failed of {Qube} failed", qube.Name);
        }
    }
}
