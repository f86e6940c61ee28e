using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Admin.Audit;
using Qubes.Admin.Calls;
using Qubes.Admin.Limits;
using Qubes.Admin.Methods;
using Qubes.Admin.Permissions;
using Qubes.Admin.Server;
using Qubes.Admin.State;
using Qubes.Admin.Streams;
using Qubes.Lifecycle.Disposables;
using Qubes.Lifecycle.Files;
using Qubes.Lifecycle.Firewall;
using Qubes.Lifecycle.Notes;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Model.Volumes;
using Qubes.Policy.Loading;
using Qubes.Protocol.Names;
using Qubes.Storage;
using Qubes.Store.Files;
using Qubes.Store.History;

using Qubes.Testing;

namespace Qubes.Admin.Tests;

/// <summary>
/// The whole Admin API on scratch sockets, over a model in memory: dom0, template <c>debian</c>, AppVM <c>work</c>. What is written
/// to disk, and what reaches a hypervisor, are the only parts that are stood in for.
/// </summary>
internal sealed class AdminFixture : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-admin-").FullName;
    private readonly Reactor _reactor;
    private readonly List<Exception> _failures = [];
    private AdminServer _server = null!;

    private AdminFixture(AdminMethodTable methods)
    {
        Methods = methods;
        _reactor = new Reactor(_failures.Add);
        Loop = new ModelLoop(_failures.Add, waiter: _reactor);
        Audit = new AuditLog(new AuditOptions { Directory = AuditDirectory, Linger = TimeSpan.FromMilliseconds(1) }, Time, NullLogger.Instance);
        PolicyTrail = new PolicyTrail(Audit, Time);
        Storage = new StorageService(new StorageEnvironment { Paths = new QubesPaths(_directory) });
        Lifecycle = new ScriptedLifecycle { Storage = Storage };
    }

    public ModelLoop Loop { get; }

    public QubesApp App { get; private set; } = null!;

    public AdminMethodTable Methods { get; }

    public EventBroadcaster Broadcaster { get; private set; } = null!;

    public StateFeed State { get; private set; } = null!;

    public StateFeedLimits StateLimits { get; private init; } = new();

    public AdminServerLimits ServerLimits { get; private init; } = new();

    public ScriptedLifecycle Lifecycle { get; }

    public DisposableService Disposables { get; private set; } = null!;

    public StorageService Storage { get; }

    public MemoryPolicySource Policy { get; } = new();

    public CallerGate Gate { get; private set; } = null!;

    public AuditLog Audit { get; }

    public PolicyTrail PolicyTrail { get; }

    public string AuditDirectory => Path.Combine(_directory, "audit");

    public FirewallService Firewall { get; private set; } = null!;

    /// <summary>What the parts that keep time go by; stands still until told.</summary>
    public ManualTime Time { get; } = new();

    /// <summary>Under it lie the directories of qubes.</summary>
    public string StateDirectory => Path.Combine(_directory, "var/lib/qubes");

    /// <summary>Fails the next commits.</summary>
    public bool DiskIsFull { get; set; }

    public int Commits { get; private set; }

    public string AdminSocket => Path.Combine(_directory, "qubesd.sock");

    public string InternalSocket => Path.Combine(_directory, "qubesd.internal.sock");

    public string MiscSocket => Path.Combine(_directory, "qubesd.misc.sock");

    public static async Task<AdminFixture> StartAsync(AdminMethodTable? methods = null, StateFeedLimits? state = null, AdminServerLimits? server = null)
    {
        AdminFixture fixture = new(methods ?? AdminMethods.Table) { StateLimits = state ?? new StateFeedLimits(), ServerLimits = server ?? new AdminServerLimits() };
        await fixture.Loop.InvokeAsync(fixture.Build);
        return fixture;
    }

    /// <summary>Calls on the main socket in dom0's name.</summary>
    public Task<string> CallAsync(string method, string argument = "", string destination = "dom0", string payload = "", string source = "dom0") =>
        RawClient.CallAsync(AdminSocket, $"{method}+{argument} {source} name {destination}\0{payload}");

    public Task OnLoopAsync(Action<QubesApp> action) => Loop.InvokeAsync(() => action(App));

    public Task<T> OnLoopAsync<T>(Func<QubesApp, T> function) => Loop.InvokeAsync(() => function(App));

    public Task AddQubeAsync(string name, QubeClass? qubeClass = null) => OnLoopAsync(app => app.Domains.Create(new NewQube
    {
        Class = qubeClass ?? QubeClasses.AppVM,
        Name = QubeName.Parse(name),
        Label = app.Labels.Find("red"),
        Template = (qubeClass ?? QubeClasses.AppVM).HasTemplate ? app.Domains["debian"] : null,
    }));

    /// <summary>A change that is sure to be one.</summary>
    public Task AddMarkAsync(int number) => OnLoopAsync(app =>
    {
        using ModelChange change = app.Changes.Begin(new ChangeOrigin("dom0", "mark", default));
        app.Domains.AdminVM.Features.Set("mark", number.ToString(System.Globalization.CultureInfo.InvariantCulture));
        change.Complete();
    });

    public async ValueTask DisposeAsync()
    {
        await Loop.InvokeAsync(() =>
        {
            _ = _server.StopAcceptingAsync();
            _server.CloseAll();
            Firewall.Dispose();
            return Disposables.DisposeAsync().AsTask();
        });
        await Loop.DisposeAsync();
        _reactor.Dispose();
        await Audit.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
        Assert.Empty(_failures);
    }

    private void Build()
    {
        App = new QubesApp(new FixedHostFacts());
        foreach (Label label in LabelSet.BuiltIn)
        {
            App.Labels.Load(label);
        }

        App.Domains.Load(QubeClasses.AdminVM, default);
        PoolConfig pool = new PoolDrivers().Check(new PoolConfig
        {
            Name = "varlibqubes", Driver = "file-qcow2", Options = [new("dir_path", Path.Combine(_directory, "var/lib/qubes"))],
        });
        Directory.CreateDirectory(Path.Combine(_directory, "var/lib/qubes"));
        App.Pools.Load([pool]);
        Storage.Add(pool);
        App.FinishLoading();
        SystemInfoSource system = new(App);
        PolicyStore policies = new(Policy, TimeProvider.System);
        new AdminExtension(policies, system).Register(App);
        Qube template = App.Domains.Create(new NewQube
        {
            Class = QubeClasses.TemplateVM, Name = QubeName.Parse("debian"), Label = App.Labels.Find("black"),
        });
        App.Domains.Create(new NewQube
        {
            Class = QubeClasses.AppVM, Name = QubeName.Parse("work"), Label = App.Labels.Find("red"), Template = template,
        });
        Broadcaster = new EventBroadcaster(App);
        Disposables = new DisposableService(
            App, Loop, Lifecycle, CommitAsync, new DisposableOptions(), TimeProvider.System, NullLogger.Instance);
        Gate = new CallerGate(Time);
        LimitFeatures.Register(App.Events);
        Firewall = new FirewallService(App, Loop, new QubesPaths(_directory), Time);
        NotesService notes = new(new QubesPaths(_directory));
        State = new StateFeed(App, policies, Firewall, notes, StateLimits, TimeProvider.System, NullLogger.Instance);
        AdminServices services = new()
        {
            App = App, CommitAsync = CommitAsync, SystemInfo = system, Broadcaster = Broadcaster, State = State, Policies = policies,
            History = new HistoryReader(_directory),
            Lifecycle = Lifecycle, Disposables = Disposables, Storage = Storage, Firewall = Firewall, Notes = notes,
            Files = new QubeFiles(Firewall, notes, new FileCommits(StateDirectory, new HistoryReader(_directory), NullLogger.Instance), NullLogger.Instance), Gate = Gate,
            Recorder = new CallRecorder(Audit, PolicyTrail, Time), Logger = NullLogger.Instance,
        };
        AdminDispatcher dispatcher = new(services, Methods, new AdminDispatcherOptions());
        _server = new AdminServer(_reactor, dispatcher, ServerLimits, NullLogger.Instance);
        _server.Listen(UnixListener.Bind(AdminSocket, UnixFileMode.UserRead | UnixFileMode.UserWrite), AdminSocketKind.Admin);
        _server.Listen(UnixListener.Bind(InternalSocket, UnixFileMode.UserRead | UnixFileMode.UserWrite), AdminSocketKind.Internal);
        _server.Listen(UnixListener.Bind(MiscSocket, UnixFileMode.UserRead | UnixFileMode.UserWrite), AdminSocketKind.Misc);
    }

    private async Task CommitAsync(ModelChange change)
    {
        // A disk answers later, never at once.
        App.Changes.AssignRevision(change);
        await Task.Yield();
        if (DiskIsFull)
        {
            change.Rollback();
            throw new IOException("No space left on device");
        }

        Commits++;
        System.Buffers.ArrayBufferWriter<byte> history = new();
        ChangeHistory.Encode(change, history);
        File.AppendAllText(Path.Combine(_directory, "changes.jsonl"), System.Text.Encoding.UTF8.GetString(history.WrittenSpan));
        change.Complete();
    }
}
