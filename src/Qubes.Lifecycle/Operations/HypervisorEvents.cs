using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Libvirt;
using Qubes.Model.Classes;
using Qubes.Protocol.Names;

namespace Qubes.Lifecycle.Operations;

/// <summary>Turns what the hypervisor tells into states and events of the model. Domains are matched by UUID.</summary>
internal sealed class HypervisorEvents(LifecycleContext context, StopHandler stops, Reconciler reconciler)
{
    /// <summary>Runs on the model loop until the hypervisor's stream ends.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (HypervisorEvent told in context.Hypervisor.Events.ReadAllAsync(cancellationToken))
            {
                try
                {
                    await HandleAsync(told);
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    context.Log.LogError(failure, "An event of the hypervisor could not be handled");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
        catch (ChannelClosedException)
        {
            // The session is closed.
        }
    }

    private async Task HandleAsync(HypervisorEvent told)
    {
        switch (told)
        {
            case DomainEvent happened:
                if (context.App.Domains.TryGet(new QubeUuid(happened.Uuid), out Qube? qube) && qube is QubesVM vm)
                {
                    OnDomain(vm, happened);
                }

                break;
            case HypervisorConnected:
                // Events of the time without a connection are lost; the states are not.
                await reconciler.ReconcileAsync();
                break;
            case HypervisorDisconnected lost:
                context.Log.LogError("The hypervisor is not reachable: {Reason}", lost.Reason);
                break;
        }
    }

    private void OnDomain(QubesVM qube, DomainEvent happened)
    {
        QubeRun? run = context.ControlOf(qube).Run;
        if (run is { HasStarted: false } && happened.Kind != DomainEventKind.Started)
        {
            // Events come in order: this is one of an earlier run.
            return;
        }

        switch (happened.Kind)
        {
            case DomainEventKind.Stopped:
                stops.OnStoppedEvent(qube);
                break;
            case DomainEventKind.Started when run is { IsAlive: true } && qube.PowerState == PowerState.Suspended:
                // The guest woke up, on our call or by itself.
                qube.Runtime.State = PowerStates.Of(DomainState.Running, run.IsUsable);
                break;
            case DomainEventKind.Started when run is not null:
                run.HasStarted = true;
                break;
            case DomainEventKind.Started:
                _ = reconciler.OnUnexpectedStartAsync(qube);
                break;
            case DomainEventKind.Suspended when run is { SwallowSuspended: true }:
                run.SwallowSuspended = false;
                break;
            case DomainEventKind.Suspended when run is { IsAlive: true }:
                if (!run.SwallowResumed)
                {
                    // Else a call of ours has resumed it since, and what is still to be told of that will be swallowed.
                    qube.Runtime.State = PowerState.Paused;
                }

                qube.Fire("domain-paused");
                break;
            case DomainEventKind.Resumed when run is { SwallowResumed: true }:
                run.SwallowResumed = false;
                run.SwallowSuspended = false;
                break;
            case DomainEventKind.Resumed when run is { IsAlive: true }:
                qube.Runtime.State = PowerStates.Of(DomainState.Running, run.IsUsable);
                _ = TellUnpausedAsync(qube);
                break;
            case DomainEventKind.Shutdown when run is { IsAlive: true }:
                qube.Runtime.State = PowerState.Halting;
                break;
            case DomainEventKind.Crashed when run is { IsAlive: true }:
                qube.Runtime.State = PowerState.Crashed;
                break;
            case DomainEventKind.Suspending when run is { IsAlive: true }:
                qube.Runtime.State = PowerState.Suspended;
                break;
        }
    }

    private async Task TellUnpausedAsync(QubesVM qube)
    {
        try
        {
            await qube.FireAsync("domain-unpaused");
        }
        catch (Exception failure)
        {
            context.Log.LogError(failure, "A handler of domain-unpaused of {Qube} failed", qube.Name);
        }
    }
}
