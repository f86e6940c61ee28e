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
    private TemporaryDirectory? _copy;

    private RunningStore(StoreOptions options, TimeProvider? time = null)
    {
        Options = options;
        Loop = new ModelLoop(_unhandled.Add);
        App = new QubesApp(new FixedHostFacts());
        Store = new QubesStore(App, options, NullLogger.Instance, time);
    }

    public StoreOptions Options { get; }

    public ModelLoop Loop { get; }

    public QubesApp App { get; }

    public QubesStore Store { get; }

    /// <summary>The file follows the journal only when a test says so.</summary>
    public static StoreOptions OptionsIn(TemporaryDirectory directory) => new()
    {
        StoreFile = directory["qubes.xml"], HistoryDirectory = directory["history"], FileDelay = Timeout.InfiniteTimeSpan, LockPatience = TimeSpan.Zero,
    };

    public static async Task<RunningStore> LoadAsync(TemporaryDirectory directory, StoreOptions? options = null, TimeProvider? time = null)
    {
        RunningStore running = new(options ?? OptionsIn(directory), time);
        try
        {
            await running.Loop.InvokeAsync(() =>
            {
                running.Store.Load();
                running.App.FinishLoading();
            });
        }
        catch
        {
            await running.Loop.DisposeAsync();
            throw;
        }

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

    public Task WriteFileAsync() => Loop.InvokeAsync(Store.WriteFileAsync);

    /// <summary>Everything done, so that the next change goes to the journal.</summary>
    public Task PrepareAsync() => Loop.InvokeAsync(Store.PrepareAsync);

    /// <summary>Loads a copy of what is on disk this moment, as a start after kill -9 finds it.</summary>
    public async Task<RunningStore> LoadAsAfterCrashAsync()
    {
        TemporaryDirectory copy = new();
        CopyTo(copy);
        RunningStore running = await LoadAsync(copy, Options with { StoreFile = copy["qubes.xml"], HistoryDirectory = copy["history"] });
        running._copy = copy;
        return running;
    }

    /// <summary>Copies what is on disk at one moment: again, when file or journal were written meanwhile.</summary>
    public void CopyTo(TemporaryDirectory target)
    {
        string from = Path.GetDirectoryName(Options.StoreFile)!;
        Directory.CreateDirectory(target["history"]);
        (FileStamp, FileStamp) before;
        do
        {
            before = Stamps();
            foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(f => !f.EndsWith(".tmp", StringComparison.Ordinal)))
            {
                File.Copy(file, target[Path.GetRelativePath(from, file)], overwrite: true);
            }
        }
        while (Stamps() != before);
    }

    private (FileStamp Store, FileStamp Journal) Stamps() => (FileStamp.Of(Options.StoreFile), FileStamp.Of(Options.JournalFile));

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
        _copy?.Dispose();
        Assert.Empty(_unhandled);
    }
}
