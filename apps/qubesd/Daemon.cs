using Microsoft.Extensions.Logging;
using Qubes.Admin.Audit;
using Qubes.Admin.Calls;
using Qubes.Admin.Limits;
using Qubes.Admin.Methods;
using Qubes.Admin.Permissions;
using Qubes.Admin.Server;
using Qubes.Admin.Planning;
using Qubes.Admin.Prompting;
using Qubes.Admin.State;
using Qubes.Admin.Streams;
using Qubes.Extensions;
using Qubes.Extensions.OutOfProcess;
using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Libvirt;
using Qubes.Lifecycle;
using Qubes.Lifecycle.Disposables;
using Qubes.Lifecycle.Files;
using Qubes.Lifecycle.Firewall;
using Qubes.Lifecycle.Notes;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Lifecycle.Network;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Volumes;
using Qubes.Policy.Loading;
using Qubes.Policy.Prompting;
using Qubes.Policy.Service;
using Qubes.Storage;
using Qubes.Store;
using Qubes.Store.Files;
using Qubes.Store.History;

namespace Qubesd;

/// <summary>All parts of the daemon, put together; the order in which they begin and end.</summary>
internal sealed class Daemon : IAsyncDisposable
{
    // How long an end waits for calls that run. systemd would wait longer, people do not.
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(5);
    private const UnixFileMode SocketMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private readonly DaemonOptions _options;
    private readonly QubesPaths _paths;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Reactor _reactor;
    private readonly ModelLoop _loop;
    private readonly uint? _group = GroupDatabase.FindOwnId("qubes");
    private DaemonAccount? _account;
    private QubesApp? _app;
    private QubesStore? _store;
    private LibvirtSession? _libvirt;
    private LibvirtHypervisor? _hypervisor;
    private QubeLifecycle? _lifecycle;
    private DisposableService? _disposables;
    private FirewallService? _firewall;
    private FileCommits? _fileCommits;
    private readonly AuditLog _audit;
    private readonly PolicyTrail _policyTrail;
    private AdminServer? _server;
    private PolicyServer? _policyServer;
    private ExtensionHost? _extensions;
    private DeviceClassEntries? _deviceClasses;
    private QubeClassEntries? _qubeClasses;
    private HostDeviceSources? _devices;
    private MemoryTrim? _memory;

    public Daemon(DaemonOptions options, QubesPaths paths, ILoggerFactory loggers)
    {
        _options = options;
        _paths = paths;
        _loggers = loggers;
        _logger = loggers.CreateLogger("qubesd");
        _audit = new AuditLog(new AuditOptions { Directory = paths.AuditDirectory }, TimeProvider.System, loggers.CreateLogger("audit"));
        _policyTrail = new PolicyTrail(_audit, TimeProvider.System);
        _reactor = new Reactor(ReportUnhandled);
        _loop = new ModelLoop(ReportUnhandled, waiter: _reactor);
    }

    /// <summary>Loads, takes over what runs, and only then lets anyone in.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => _loop.InvokeAsync(() => StartOnLoopAsync(cancellationToken));

    /// <summary>Lets nobody in, lets running calls finish for a moment, saves, closes.</summary>
    public Task StopAsync() => _loop.InvokeAsync(StopOnLoopAsync);

    public async ValueTask DisposeAsync()
    {
        _memory?.Dispose();
        await _loop.InvokeAsync(async () =>
        {
            _policyServer?.Dispose();
            _server?.CloseAll();
            if (_extensions is not null)
            {
                await _extensions.DisposeAsync();
            }

            if (_deviceClasses is not null)
            {
                await _deviceClasses.FlushAsync();
            }

            if (_qubeClasses is not null)
            {
                await _qubeClasses.WriteAsync([]);
            }

            if (_disposables is not null)
            {
                await _disposables.DisposeAsync();
            }

            _devices?.Dispose();
            _firewall?.Dispose();
            if (_lifecycle is not null)
            {
                await _lifecycle.DisposeAsync();
            }
        });
        if (_libvirt is not null)
        {
            await _libvirt.DisposeAsync();
        }

        await _loop.DisposeAsync();
        await _audit.DisposeAsync();
        _reactor.Dispose();
    }

    private async Task StartOnLoopAsync(CancellationToken cancellationToken)
    {
        // On a real host the package has put everything in place, and what is missing is missing on purpose.
        if (!_paths.IsSystemRoot)
        {
            await Task.Run(() => RootSetup.Run(_paths), cancellationToken);
        }

        _account = await Task.Run(() => DaemonAccountSetup.Choose(_options, _paths, _logger), cancellationToken);
        Task<LibvirtSession> connecting = ConnectAsync(_options.LibvirtUri ?? HypervisorUri.Default(_paths.Under("var/lib/qubes/libvirt")));
        StorageService storage = new(new StorageEnvironment { Paths = _paths, Log = _loggers.CreateLogger("storage"), Account = _account });
        IReadOnlyList<ExtensionDefinition> extensions = await LoadExtensionsAsync(cancellationToken);
        _app = new QubesApp(new HostFacts(_paths), classes: new QubeClassSet([.. extensions.SelectMany(e => e.Classes)]));
        BuiltInExtensions.Register(_app, new BuiltInExtensionOptions
        {
            Log = _loggers.CreateLogger("extensions"), ServiceMarkerDirectory = _paths.Under("run/qubes-service"), Lifecycle = () => _lifecycle,
        });
        string? qrexecClient = FindQrexec("qrexec-client");
        ILogger policyLogger = _loggers.CreateLogger("policy");
        PolicyStore policies = new(new DirectoryPolicySource(_paths), TimeProvider.System, policy => PolicyLoadLog.Write(policyLogger, policy));
        SystemInfoSource system = new(_app);
        PrepareExtensions(extensions, storage, qrexecClient, new PolicyAdviser(policies, system));
        _store = new QubesStore(_app, StoreOptions.For(_paths), _loggers.CreateLogger("store"));
        await LoadAsync(storage, cancellationToken);
        await storage.RecoverAsync(cancellationToken);
        _fileCommits = new FileCommits(_paths.StateDirectory, new HistoryReader(_store.HistoryDirectory), _loggers.CreateLogger("files"));
        long revision = _app.Changes.Revision;
        await Task.Run(() => _fileCommits.Recover(revision), cancellationToken);

        _libvirt = await connecting;
        LibvirtHypervisor hypervisor = new(_libvirt);
        _hypervisor = hypervisor;
        _lifecycle = new QubeLifecycle(_app, _loop, storage, hypervisor, _paths,
            new LifecycleOptions { DaemonProgram = FindQrexec("qrexec-daemon"), QrexecClientProgram = qrexecClient, Account = _account },
            log: _loggers.CreateLogger("lifecycle"));
        _lifecycle.ExtraDevices = _extensions is null ? null : _extensions.FindDevicesAsync;
        GuestServices? services = hypervisor.Kind != HypervisorKind.Test && qrexecClient is not null ? new GuestServices(qrexecClient, _paths, _account) : null;
        DeferredNetwork network = new(_app, _store.CommitAsync, services, TimeProvider.System, _loggers.CreateLogger("network"));
        _disposables = new DisposableService(
            _app, _loop, _lifecycle, _store.CommitAsync, OptionsForDisposables(services, network), TimeProvider.System,
            _loggers.CreateLogger("disposables"));
        _firewall = new FirewallService(_app, _loop, _paths, log: _loggers.CreateLogger("firewall"));
        new AdminExtension(policies, system).Register(_app);
        _devices = HostDeviceSources.Register(_app, _loop, hypervisor, _paths, services, _loggers.CreateLogger("devices"));
        LimitFeatures.Register(_app.Events);
        _app.FinishLoading();
        await _lifecycle.AttachAsync();
        await _devices.AdoptAsync();
        await _disposables.AttachAsync();

        _app.Devices.Prompt = new DeviceAgent(
            _app, new ServiceAgent(_paths, _paths.QubesRunDirectory, qrexecClient, _account), _loggers.CreateLogger("devices"));
        ServePolicy(policies, system, new ServiceAgent(_paths, _paths.RpcDirectory, qrexecClient, _account), policyLogger);
        ServeCalls(storage, system, policies);
        _qubeClasses = new QubeClassEntries(_paths, _loggers.CreateLogger("extensions"));
        await _qubeClasses.WriteAsync(_app.Classes.Derived);
        _deviceClasses = new DeviceClassEntries(_app, _paths, _loggers.CreateLogger("devices"));
        _ = _store.PrepareAsync();
        _ = LoadFirewallRulesAsync();
        _memory = new MemoryTrim(TimeProvider.System);
        if (_extensions is not null)
        {
            await _extensions.StartAsync();
        }

        await _deviceClasses.FlushAsync();
    }

    /// <summary>Before anything else: they say what classes of qubes there are.</summary>
    private async Task<IReadOnlyList<ExtensionDefinition>> LoadExtensionsAsync(CancellationToken cancellationToken)
    {
        ExtensionDirectory directory = new(_paths.ExtensionsDirectory, _loggers.CreateLogger("extensions"));
        return await Task.Run(
            () =>
            {
                ExtensionHost.ClearLeftovers(_paths);
                return directory.Load();
            },
            cancellationToken);
    }

    /// <summary>Before the store is loaded: what needs the consent of an extension needs it from the first moment on.</summary>
    private void PrepareExtensions(
        IReadOnlyList<ExtensionDefinition> definitions, StorageService storage, string? qrexecClient, PolicyAdviser policy)
    {
        if (definitions.Any(d => d.IsEnabled || d.Classes.Count > 0))
        {
            _extensions = new ExtensionHost(new ExtensionEnvironment
            {
                App = _app!, Loop = _loop, Storage = storage, Paths = _paths, Loggers = _loggers, QrexecClientProgram = qrexecClient, Account = _account,
                Policy = policy, Hypervisor = () => _hypervisor,
            }, definitions);
        }
    }

    private async Task<LibvirtSession> ConnectAsync(string uri)
    {
        if (HypervisorUri.EmbeddedRoot(uri) is { } root)
        {
            foreach (string obstacle in await Task.Run(() => EmbeddedDriver.FindObstacles().ToArray()))
            {
                _logger.LogWarning("{Obstacle}", obstacle);
            }

            await Task.Run(() => EmbeddedDriver.Prepare(root, Path.Combine(_paths.LogDirectory, "libvirt.log")));
        }

        return await LibvirtSession.OpenAsync(uri, log: _loggers.CreateLogger("libvirt"));
    }

    private async Task LoadAsync(StorageService storage, CancellationToken cancellationToken)
    {
        if (_store!.Exists)
        {
            _store.Load();
        }
        else
        {
            IReadOnlyList<PoolConfig> pools = await storage.InitialPoolsAsync(cancellationToken);
            _store.Create(pools);
            _logger.LogInformation("There was no store: made a new one at {Path}", LogText.Escape(_paths.StoreFile));
        }

        foreach (PoolConfig pool in _app!.Pools.All)
        {
            try
            {
                storage.Add(pool);
            }
            catch (Exception e)
            {
                // Its volumes cannot be used; everything else can.
                _logger.LogError(e, "Storage pool {Pool} cannot be opened", pool.Name);
            }
        }
    }

    private void ServePolicy(PolicyStore policies, SystemInfoSource system, ServiceAgent agent, ILogger logger)
    {
        // On the loop like the calls: what policy asks about is at hand there, and no decision waits for a thread switch.
        PolicyService service = new(policies, _ => ValueTask.FromResult(system.Current), agent, logger)
        {
            Decided = _policyTrail.Note,
        };
        UnixListener listener = UnixListener.Bind(_paths.PolicySocket, SocketMode, _group, PolicyServer.Backlog);
        _policyServer = new PolicyServer(_reactor, listener, service, logger);
        _ = Task.Run(policies.Current);
    }

    private void ServeCalls(StorageService storage, SystemInfoSource system, PolicyStore policies)
    {
        NotesService notes = new(_paths);
        AdminServices services = new()
        {
            App = _app!,
            CommitAsync = _store!.CommitAsync,
            SystemInfo = system,
            Broadcaster = new EventBroadcaster(_app!),
            State = new StateFeed(_app!, policies, _firewall!, notes, new StateFeedLimits(), TimeProvider.System, _loggers.CreateLogger("state")),
            Policies = policies,
            Planner = new ChangePlanner(static copy => BuiltInExtensions.Register(copy)),
            History = new HistoryReader(_store!.HistoryDirectory),
            Lifecycle = _lifecycle!,
            Disposables = _disposables!,
            Storage = storage,
            Firewall = _firewall!,
            Gate = new CallerGate(TimeProvider.System),
            Recorder = new CallRecorder(_audit, _policyTrail, TimeProvider.System),
            Notes = notes,
            Files = new QubeFiles(_firewall!, notes, _fileCommits!, _loggers.CreateLogger("files")),
            PermissionGate = _extensions,
            Logger = _loggers.CreateLogger("admin"),
        };
        AdminDispatcher dispatcher = new(services, AdminMethods.For(_app!.Classes), new AdminDispatcherOptions
        {
            LogCalls = _options.LogCalls, SendTracebacks = _options.Debug,
        });
        _server = new AdminServer(_reactor, dispatcher, new AdminServerLimits(), services.Logger);
        Listen(_paths.InternalSocket, AdminSocketKind.Internal);
        Listen(_paths.MiscSocket, AdminSocketKind.Misc);
        Listen(_paths.AdminSocket, AdminSocketKind.Admin);
    }

    /// <summary>In the background: nobody waits for rules of qubes that do nothing.</summary>
    private async Task LoadFirewallRulesAsync()
    {
        try
        {
            await _firewall!.LoadAllAsync();
        }
        catch (Exception e)
        {
            _logger.LogError(e, "The firewall rules of all qubes could not be read");
        }
    }

    private void Listen(string path, AdminSocketKind kind) =>
        _server!.Listen(UnixListener.Bind(path, SocketMode, _group, backlog: 1024), kind);

    private async Task StopOnLoopAsync()
    {
        _policyServer?.Dispose();
        Task running = _server!.StopAcceptingAsync();
        try
        {
            await running.WaitAsync(LongestGoodbye);
        }
        catch (TimeoutException)
        {
            _logger.LogWarning("Some calls were still running");
        }

        await _store!.FlushAsync(new ChangeOrigin("qubesd", "stop", TimeProvider.System.GetUtcNow()));
        _server.CloseAll();
    }

    private DisposableOptions OptionsForDisposables(GuestServices? services, DeferredNetwork network) => new()
    {
        Services = services is null ? null : new QrexecServices(services),
        FreeMemoryFile = Path.Combine(_paths.QubesRunDirectory, "qmemman-avail-mem"),
        Network = network,
    };

    /// <summary>The multi-call program stands beside this one; without it guests run without qrexec.</summary>
    private string? FindQrexec(string name)
    {
        string directory = Path.GetDirectoryName(Environment.ProcessPath) ?? "/usr/bin";
        string program = Path.Combine(directory, name);
        if (File.Exists(program))
        {
            return program;
        }

        _logger.LogWarning("{Program} is missing: qubes run without qrexec", program);
        return null;
    }

    private void ReportUnhandled(Exception failure) => _logger.LogError(failure, "An exception nobody waited for");
}
