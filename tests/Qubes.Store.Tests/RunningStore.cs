using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Host;
using Qubes.Model.Properties;

namespace Qubes.Store.Tests;

/// <summary>A store on disk with its model on a loop, as in the daemon.</summary>
internal sealed class RunningStore : IAsyncDisposable
{
    private readonly List<Exception> _unhandled = [];

    private RunningStore(StoreOptions options)
    {
        Options = options;
        Loop = new ModelLoop(_unhandled.Add);
        App = new QubesApp(new FixedHostFacts());
        Store = new QubesStore(App, options, NullLogger.Instance);
    }

    public StoreOptions Options { get; }

    public ModelLoop Loop { get; }

    public QubesApp App { get; }

    public QubesStore Store { get; }

    public static StoreOptions OptionsIn(TemporaryDirectory directory) =>
        new() { StoreFile = directory["qubes.xml"], HistoryDirectory = directory["history"] };

    public static async Task<RunningStore> LoadAsync(TemporaryDirectory directory, StoreOptions? options = null)
    {
        RunningStore running = new(options ?? OptionsIn(directory));
        await running.Loop.InvokeAsync(() =>
        {
            running.Store.Load();
            running.App.FinishLoading();
        });
        return running;
    }

    public static async Task<RunningStore> CreateAsync(TemporaryDirectory directory)
    {
        RunningStore running = new(OptionsIn(directory));
        await running.Loop.InvokeAsync(() =>
        {
            running.Store.Create([new Model.Volumes.PoolConfig { Name = "linux-kernel", Driver = "linux-kernel", Options = [new("dir_path", "/k")] }]);
            running.App.FinishLoading();
        });
        return running;
    }

    /// <summary>Mutates within a change and commits it, as a request does.</summary>
    public Task ChangeAsync(string call, Action<QubesApp> mutate) => Loop.InvokeAsync(async () =>
    {
        using ModelChange change = App.Changes.Begin(new ChangeOrigin("dom0", call, DateTimeOffset.UnixEpoch));
        mutate(App);
        await Store.CommitAsync(change);
    });

    public Task SetAsync(string qube, string property, string value) => ChangeAsync("admin.vm.property.Set+" + property, app =>
    {
        PropertyDefinition definition = app.Domains[qube].Property(property);
        definition.SetInput(app.Domains[qube], value);
    });

    public Task<string> ReadAsync(string qube, string property) =>
        Loop.InvokeAsync(() => LoadedStore.Read(App.Domains[qube], property));

    public async ValueTask DisposeAsync()
    {
        await Loop.InvokeAsync(Store.CloseAsync);
        await Loop.DisposeAsync();
        Assert.Empty(_unhandled);
    }
}
