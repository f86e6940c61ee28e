using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Network;

namespace Qubes.Lifecycle.Network;

/// <summary>
/// Carries out what became of the netvm of a paused qube when the qube goes on: the netvm's handlers hear of the change then, and the
/// guest is waited for until its network is up. Belongs to the model loop.
/// </summary>
public sealed class DeferredNetwork
{
    private const string WaitForUplink = "qubes.WaitForNetworkUplink";
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly QubesApp _app;
    private readonly Func<ModelChange, Task> _commit;
    private readonly GuestServices? _services;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <param name="app">The model; the handlers are put in place.</param>
    /// <param name="commit">Makes a change durable and then completes it, or undoes it and throws.</param>
    /// <param name="services">Null where guests have no qrexec.</param>
    /// <param name="time">The clock of changes.</param>
    /// <param name="log">Where failures go: a qube without network still is of use.</param>
    public DeferredNetwork(QubesApp app, Func<ModelChange, Task> commit, GuestServices? services, TimeProvider time, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(app);
        _app = app;
        _commit = commit;
        _services = services;
        _time = time;
        _log = log;
        EmitterClass level = EmitterClass.NetVMMixin;
        app.Events.OnAwaited(level, "domain-unpaused", happened => ApplyAsync((QubesVM)happened.Subject));
        app.Events.OnAwaited(level, "domain-start", started => ApplyToClientsAsync((QubesVM)started.Subject));

        // A start connects it to what its netvm is then.
        app.Events.OnAwaited(level, "domain-shutdown", stopped => ForgetAsync((QubesVM)stopped.Subject));
    }

    /// <summary>
    /// Does what is due. Nothing is while the qube is paused or waits to be used, nor while its netvm does not run: the netvm's
    /// start sees to it.
    /// </summary>
    public async Task ApplyAsync(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        try
        {
            if (await ReplayAsync(qube))
            {
                await WaitForUplinkAsync(qube);
            }
        }
        catch (Exception failure)
        {
            _log.LogError(failure, "The change of the netvm of {Qube} could not be carried out", qube.Name);
        }
    }

    private async Task<bool> ReplayAsync(QubesVM qube)
    {
        if (!qube.IsInCollection || !qube.Features.TryGet(NetworkFeatures.Deferred, out string? original)
            || qube.PowerState != PowerState.Running || qube is DispVM { IsPreload: true } || qube.NetVM is { IsRunning: false })
        {
            return false;
        }

        using ModelChange change = _app.Changes.Begin(new ChangeOrigin("qubesd", "deferred change of netvm", _time.GetUtcNow()));
        _app.Domains.TryGet(original, out Qube? before);
        EventArguments arguments = EventArguments.Of(
            ("name", NetworkProperties.NetVM.Name), ("newvalue", qube.NetVM), ("oldvalue", before as QubesVM));
        qube.FirePre(NetworkProperties.NetVM.PreSetEvent, arguments);
        qube.Fire(NetworkProperties.NetVM.SetEvent, arguments);
        qube.Features.Remove(NetworkFeatures.Deferred);
        await _commit(change);
        return qube.NetVM is not null;
    }

    private Task ApplyToClientsAsync(QubesVM netvm) => netvm.ProvidesNetwork
        ? Task.WhenAll(netvm.ConnectedQubes.Where(client => client.Features.Contains(NetworkFeatures.Deferred)).ToArray().Select(ApplyAsync))
        : Task.CompletedTask;

    private async Task ForgetAsync(QubesVM qube)
    {
        if (!qube.IsInCollection || !qube.Features.Contains(NetworkFeatures.Deferred))
        {
            return;
        }

        using ModelChange change = _app.Changes.Begin(new ChangeOrigin("qubesd", "stop", _time.GetUtcNow()));
        qube.Features.Remove(NetworkFeatures.Deferred);
        await _commit(change);
    }

    /// <summary>Guests that do not say that they can tell are not waited for.</summary>
    private async Task WaitForUplinkAsync(QubesVM qube)
    {
        if (_services is null || string.IsNullOrEmpty(qube.Features.CheckWithTemplate("supported-rpc." + WaitForUplink)))
        {
            return;
        }

        CapturedProcess ended = await _services.RunAsync(qube.Name, WaitForUplink, "root", default, LongestWait);
        if (!ended.Exit.IsSuccess)
        {
            _log.LogWarning("{Service} of {Qube} failed: {Exit} {Error}", WaitForUplink, qube.Name, ended.Exit, ended.ErrorText);
        }
    }
}
