using Qubes.Libvirt;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Model.Volumes;
using Qubes.Protocol.Names;
using Qubes.Storage;

namespace Qubes.Lifecycle.Tests;

/// <summary>
/// A lifecycle over a real model, real volumes on a scratch root and libvirt's test driver: dom0, a TemplateVM and an AppVM. The test
/// driver is shared by the process, so names are unique.
/// </summary>
internal sealed class LifecycleFixture : IAsyncDisposable
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-lifecycle-").FullName;
    private readonly string _suffix = Guid.NewGuid().ToString("N")[..10];
    private readonly List<Exception> _lost = [];

    // The test driver forgets its domains with the last connection; a hypervisor outlives the daemon.
    private readonly LibvirtConnection _keepsDomains = LibvirtConnection.Open("test:///default");
    private LibvirtSession _session = null!;

    private LifecycleFixture()
    {
        Paths = new QubesPaths(_directory);
        Loop = new ModelLoop(_lost.Add);
    }

    public QubesPaths Paths { get; }

    public ModelLoop Loop { get; }

    public QubesApp App { get; private set; } = null!;

    public StorageService Storage { get; private set; } = null!;

    public FaultyHypervisor Hypervisor { get; private set; } = null!;

    public QubeLifecycle Lifecycle { get; private set; } = null!;

    public EventRecorder Events { get; } = new();

    public TemplateVM Template { get; private set; } = null!;

    public AppVM Work { get; private set; } = null!;

    /// <summary>Failures nobody awaited.</summary>
    public IReadOnlyList<Exception> Lost => _lost;

    public static async Task<LifecycleFixture> StartAsync()
    {
        LifecycleFixture fixture = new();
        await fixture.Loop.InvokeAsync(fixture.BuildAsync).WaitAsync(Patience);
        return fixture;
    }

    public Task OnLoopAsync(Func<Task> work) => Loop.InvokeAsync(work).WaitAsync(Patience);

    public Task OnLoopAsync(Action work) => Loop.InvokeAsync(work).WaitAsync(Patience);

    public Task<T> OnLoopAsync<T>(Func<T> work) => Loop.InvokeAsync(work).WaitAsync(Patience);

    public Task StartAsync(Qube qube) => OnLoopAsync(() => Lifecycle.StartAsync(qube));

    public Task KillAsync(Qube qube) => OnLoopAsync(() => Lifecycle.KillAsync(qube));

    public Task<PowerState> StateAsync(Qube qube) => OnLoopAsync(() => qube.PowerState);

    public Task RemoveAsync(Qube qube) => OnLoopAsync(() => Lifecycle.RemoveAsync(qube, () =>
    {
        App.Domains.Remove(qube);
        return Task.CompletedTask;
    }));

    public string DirectoryOf(QubesVM qube) => Path.Combine(Paths.StateDirectory, qube.DirectoryName);

    /// <summary>Adds a qube with its data, as the Admin API does.</summary>
    public async Task<QubesVM> CreateAsync(QubeClass qubeClass, string name, Qube? template = null)
    {
        QubesVM qube = (QubesVM)App.Domains.Create(new NewQube
        {
            Class = qubeClass,
            Name = QubeName.Parse(name + _suffix),
            Label = App.Labels.Find("red"),
            Template = template,
        });
        await Lifecycle.CreateOnDiskAsync(qube, pool: null, new Dictionary<string, string>());
        await Lifecycle.ConfirmAsync(qube);
        return qube;
    }

    /// <summary>A second daemon over the same root and hypervisor, with the same qubes freshly loaded; the first one is gone.</summary>
    public async Task RestartAsync()
    {
        await Loop.InvokeAsync(async () =>
        {
            await Lifecycle.DisposeAsync();
            QubesVM[] old = [Template, Work];
            await _session.DisposeAsync();
            App = NewApp();
            SetDefaultPools();
            foreach (QubesVM qube in old)
            {
                QubesVM loaded = (QubesVM)App.Domains.Load(qube.Class, new QubeIdentity(qube.Name, qube.Qid, qube.Uuid));
                loaded.Volumes.Load(qube.Volumes.All);
            }

            Template = (TemplateVM)App.Domains[old[0].Name];
            Work = (AppVM)App.Domains[old[1].Name];
            AppVMProperties.Template.SetInput(Work, Template);
            await AttachAsync();
        }).WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await Loop.InvokeAsync(async () =>
        {
            foreach (QubesVM qube in App.Domains.OfType<QubesVM>().Where(qube => qube.IsRunning).ToArray())
            {
                Hypervisor.Before.Clear();
                await Lifecycle.KillAsync(qube);
            }

            await Lifecycle.DisposeAsync();
        }).WaitAsync(Patience);
        await _session.DisposeAsync();
        await Loop.DisposeAsync();
        _keepsDomains.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task BuildAsync()
    {
        Storage = new StorageService(new StorageEnvironment { Paths = Paths });
        App = NewApp();
        foreach (PoolConfig pool in await Storage.InitialPoolsAsync())
        {
            await Storage.CreateAsync(pool);
            App.Pools.Set(pool);
        }

        SetDefaultPools();

        await AttachAsync();
        Template = (TemplateVM)await CreateAsync(QubeClasses.TemplateVM, "tpl");
        Work = (AppVM)await CreateAsync(QubeClasses.AppVM, "work", Template);
        Events.Clear();
    }

    private void SetDefaultPools()
    {
        QubesAppProperties.DefaultPool.Set(App, "varlibqubes");
        QubesAppProperties.DefaultPoolKernel.Set(App, "linux-kernel");
    }

    private QubesApp NewApp()
    {
        QubesApp app = new(new FixedHostFacts { BaseDirectory = Paths.StateDirectory });
        foreach (Label label in LabelSet.BuiltIn)
        {
            app.Labels.Load(label);
        }

        app.Domains.Load(QubeClasses.AdminVM, default);
        app.Pools.Load(App?.Pools.All ?? []);
        return app;
    }

    private async Task AttachAsync()
    {
        _session = await LibvirtSession.OpenAsync("test:///default");
        Hypervisor = new FaultyHypervisor(new LibvirtHypervisor(_session));
        Lifecycle = new QubeLifecycle(App, Loop, Storage, Hypervisor, Paths);
        App.Events.AddObserver(Events);
        App.FinishLoading();
        await Lifecycle.AttachAsync();
    }
}
