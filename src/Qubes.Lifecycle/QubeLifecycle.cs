using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Libvirt;
using Qubes.Lifecycle.Boot;
using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Daemons;
using Qubes.Lifecycle.DomainXml;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Lifecycle.Network;
using Qubes.Lifecycle.Operations;
using Qubes.Lifecycle.Qrexec;
using Qubes.Lifecycle.QubesDb;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Lifecycle;

/// <summary>
/// Makes, starts, stops and removes qubes. Every method is called on the model loop and returns to it; what is slow runs elsewhere.
/// Failures are errors the caller of the Admin API can be told as they are.
/// </summary>
public sealed partial class QubeLifecycle : IQubeLifecycle, IAsyncDisposable
{
    /// <summary>Fired on the application before the qubes are suspended because the host will be: its handlers are waited for.</summary>
    public const string HostSuspendEvent = "host-suspending";

    /// <summary>Fired on the application when the qubes are resumed after the host was.</summary>
    public const string HostResumeEvent = "host-resumed";

    private readonly LifecycleContext _context;
    private readonly LifecycleOptions _options;
    private readonly QubeStarter _starter;
    private readonly QubeStopper _stopper;
    private readonly QubeSleeper _sleeper;
    private readonly VolumeResizer _resizer;
    private readonly QubeCreator _creator;
    private readonly Reconciler _reconciler;
    private readonly HypervisorEvents _events;
    private readonly Sampler _sampler;
    private readonly QubeDatabases _databases;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _background = [];

    public QubeLifecycle(QubesApp app, ModelLoop loop, StorageService storage, IHypervisor hypervisor, QubesPaths paths,
        LifecycleOptions? options = null, TimeProvider? time = null, ILogger? log = null)
    {
        _options = options ?? new LifecycleOptions();
        time ??= TimeProvider.System;
        bool hasQrexec = hypervisor.Kind != HypervisorKind.Test && _options.DaemonProgram is not null;
        _context = new LifecycleContext
        {
            App = app,
            Loop = loop,
            Storage = storage,
            Hypervisor = hypervisor,
            Paths = paths,
            Services = hasQrexec && _options.QrexecClientProgram is { } client ? new GuestServices(client, paths, _options.Account) : null,
            Time = time,
            Log = log ?? NullLogger.Instance,
        };
        StopHandler stops = new(_context);
        HostTimeZone timeZone = new(paths.Under("etc/localtime"));
        DaemonSupervisor? qrexec = null;
        DaemonSupervisor? databases = null;
        if (hasQrexec && _options.DaemonProgram is { } program)
        {
            DaemonLauncher launcher = new(time, _context.Log, _options.Account);
            qrexec = Supervisor(new QrexecDaemons(program, paths, launcher, _options.Account));
            databases = Supervisor(new QubesDbDaemons(program, paths, loop, timeZone, launcher, time, _context.Log));
        }

        _databases = new QubeDatabases(timeZone, databases);
        _databases.Register(app.Events);
        _stopper = new QubeStopper(_context, stops);
        _sleeper = new QubeSleeper(_context, _stopper);
        _resizer = new VolumeResizer(_context);
        _starter = new QubeStarter(_context, new DomainSpecs(_context, new KvmProbe(paths)), _stopper, _databases, qrexec);
        _creator = new QubeCreator(_context);
        _reconciler = new Reconciler(_context, stops, _databases, qrexec);
        _events = new HypervisorEvents(_context, stops, _reconciler);
        _sampler = new Sampler(_context);
        ShutdownBlockers.Register(app.Events);
        NetVMEntries.Register(app.Events);
        new AutoStartLinks(paths).Register(app.Events);

        DaemonSupervisor Supervisor(IQubeDaemons daemons) => new(daemons, time, _context.Log, _stopping.Token);
    }

    /// <summary>
    /// Says which devices others add to a qube that is being started, given the description of its domain. An exception refuses the start.
    /// </summary>
    public Func<QubesVM, string, Task<IReadOnlyList<ExtraDevice>>>? ExtraDevices
    {
        get => _context.ExtraDevices;
        set => _context.ExtraDevices = value;
    }

    /// <inheritdoc/>
    public Func<DispVM, Task>? DisposableEnded
    {
        get => _context.DisposableEnded;
        set => _context.DisposableEnded = value;
    }

    /// <summary>Who hangs in the hypervisor, since when, in which call.</summary>
    public IReadOnlyList<HungCall> HungCalls => _context.Hypervisor.HungCalls;

    /// <summary>
    /// Once, after the store is loaded and before requests are served: cleans up after a crash, takes over running qubes, stops the
    /// volumes of the others, then follows the hypervisor's events.
    /// </summary>
    public async Task AttachAsync()
    {
        _context.Loop.VerifyAccess();
        await Task.Run(MakeDirectories);
        await _creator.RecoverAsync();
        await _reconciler.ReconcileAsync();
        await _databases.AttachHostAsync(_context.App.Domains.AdminVM);
        await _reconciler.StopLeftoversAsync();
        _context.Storage.ExternalPoolOpened = (pool, started) => _ = FollowPoolAsync(pool, started);
        _background.Add(_events.RunAsync(_stopping.Token));
        _background.Add(_sampler.RunAsync(_options.SamplingPeriod, _stopping.Token));
    }

    /// <summary>Stops following the hypervisor. Running qubes and their daemons stay as they are.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_background);
        await _databases.ReleaseHostAsync(_context.App.Domains.OfType<QubesVM>().Any(qube => qube.IsRunning));
        _stopping.Dispose();
    }

    /// <summary>A driver that is not part of the daemon has come: what had to wait for it is done now.</summary>
    private async Task FollowPoolAsync(string pool, IReadOnlyList<string> started)
    {
        try
        {
            await _creator.RetryRemovalsAsync();
            await _reconciler.StopLeftoversAsync(pool, started);
        }
        catch (Exception failure)
        {
            _context.Log.LogError(failure, "Pool {Pool} could not be cleaned up", pool);
        }
    }

    /// <inheritdoc/>
    public async Task CreateOnDiskAsync(Qube qube, string? pool, IReadOnlyDictionary<string, string> pools)
    {
        _context.Loop.VerifyAccess();
        if (qube is QubesVM vm)
        {
            await _creator.CreateAsync(vm, pool, pools);
        }
        else if (pool is not null || pools.Count > 0)
        {
            throw QubesErrors.General($"A {qube.Klass} has no volumes");
        }
    }

    /// <inheritdoc/>
    public Task DiscardAsync(Qube qube) => qube is QubesVM vm ? _creator.DiscardAsync(vm) : Task.CompletedTask;

    /// <inheritdoc/>
    public Task ConfirmAsync(Qube qube) => qube is QubesVM vm ? _creator.ConfirmAsync(vm) : Task.CompletedTask;

    /// <inheritdoc/>
    public async Task RemoveAsync(Qube qube, Func<Task> dropAndCommit, bool isCheckedLast = false)
    {
        _context.Loop.VerifyAccess();
        if (qube is AdminVM)
        {
            throw QubesErrors.VMInUse(qube.Name, "'dom0' cannot be removed");
        }

        if (qube is not QubesVM vm)
        {
            // Nothing of it is on this host but its entry.
            if (!isCheckedLast)
            {
                _context.App.Domains.CheckRemovable(qube);
            }

            await dropAndCommit();
            return;
        }

        await TranslatedAsync(() => _creator.RemoveAsync(vm, dropAndCommit, isCheckedLast));
    }

    /// <summary>Starts a halted qube and waits until it can be used; in any other state does nothing.</summary>
    public async Task StartAsync(Qube qube)
    {
        _context.Loop.VerifyAccess();
        if (qube is AdminVM)
        {
            throw QubesErrors.VMNotHalted(qube.Name, "Cannot start Dom0 fake domain!");
        }

        if (qube is RemoteVM)
        {
            throw QubesErrors.VMNotHalted(qube.Name, "Cannot start a RemoteVM.");
        }

        try
        {
            await StartTranslatedAsync(Vm(qube, "start"));
        }
        catch when (qube is DispVM && _context.DisposableEnded is not null)
        {
            await _context.DisposableEnded((DispVM)qube);
            throw;
        }
    }

    private async Task StartTranslatedAsync(QubesVM qube)
    {
        if (qube is DispVM { Template: not IDisposableTemplate { TemplateForDispVMs: true } })
        {
            throw QubesErrors.General($"template for disposable ({qube.Template?.Name}) needs to have template_for_dispvms=True");
        }

        try
        {
            await _starter.StartAsync(qube);
        }
        catch (LibvirtException failure)
        {
            throw new QubesException(QubesErrorNames.QubesException,
                $"Start failed: {failure.Message}, see {_context.Paths.GuestConsoleLog(qube.Name)} for details", failure);
        }
        catch (LaneTimeoutException failure)
        {
            throw new QubesException(QubesErrorNames.QubesException, $"Start failed: {failure.Message}", failure);
        }
    }

    /// <inheritdoc cref="QubeStopper.ShutdownAsync"/>
    public Task ShutdownAsync(Qube qube, bool force, bool wait) =>
        TranslatedAsync(() => _stopper.ShutdownAsync(Vm(qube, "shutdown"), force, wait));

    /// <summary>Takes the power away and waits until the stop is handled.</summary>
    public Task KillAsync(Qube qube) => TranslatedAsync(() => _stopper.KillAsync(Vm(qube, "kill")));

    public Task PauseAsync(Qube qube) => TranslatedAsync(() => _stopper.PauseAsync(Vm(qube, "pause")));

    public Task UnpauseAsync(Qube qube) => TranslatedAsync(() => _stopper.UnpauseAsync(Vm(qube, "unpause")));

    /// <inheritdoc/>
    public QubeStorage StorageOf(QubesVM qube) => _context.StorageOf(qube);

    private static QubesVM Vm(Qube qube, string verb) => qube as QubesVM
        ?? throw QubesErrors.VM(qube is AdminVM ? $"Cannot {verb} Dom0 fake domain!" : $"Cannot {verb} a {qube.Klass}.");

    /// <summary>What the hypervisor says in its own terms becomes an error callers know.</summary>
    private async Task TranslatedAsync(Func<Task> operation)
    {
        _context.Loop.VerifyAccess();
        try
        {
            await operation();
        }
        catch (Exception failure) when (failure is LibvirtException or LaneTimeoutException)
        {
            throw new QubesException(QubesErrorNames.QubesException, failure.Message, failure);
        }
    }

    private void MakeDirectories()
    {
        Directory.CreateDirectory(_context.Paths.VchanDirectory);
        Directory.CreateDirectory(_context.Paths.LogDirectory);
    }
}
