using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Lifecycle.Disposables;
using Qubes.Lifecycle.Network;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;

namespace Qubes.Lifecycle.Tests.Disposables;

/// <summary>Disposables over the real lifecycle; only the clock and what guests answer are in the test's hands.</summary>
internal sealed class DisposableFixture : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-disposables-").FullName;

    private DisposableFixture(LifecycleFixture host) => Host = host;

    public LifecycleFixture Host { get; }

    public ManualTime Time { get; } = new();

    public ScriptedGuests Guests { get; } = new();

    public DisposableService Service { get; private set; } = null!;

    /// <summary>Disposables are made from it.</summary>
    public AppVM Template => Host.Work;

    public string FreeMemoryFile => Path.Combine(_directory, "free");

    public static async Task<DisposableFixture> StartAsync()
    {
        DisposableFixture fixture = new(await LifecycleFixture.StartAsync());
        await fixture.Host.OnLoopAsync(async () =>
        {
            DisposableTemplateProperties.TemplateForDispVMs.Set(fixture.Template, true);
            foreach (string feature in (string[])["qrexec", "supported-rpc.qubes.WaitForRunningSystem", "supported-rpc.qubes.WaitForSession"])
            {
                fixture.Template.Features.Set(feature, "1");
            }

            fixture.Service = new DisposableService(
                fixture.Host.App, fixture.Host.Loop, fixture.Host.Lifecycle, CommitAsync,
                new DisposableOptions
                {
                    Services = fixture.Guests, FreeMemoryFile = fixture.FreeMemoryFile,
                    Network = new DeferredNetwork(fixture.Host.App, CommitAsync, services: null, fixture.Time, NullLogger.Instance),
                },
                fixture.Time, NullLogger.Instance);
            await fixture.Service.AttachAsync();
        });
        return fixture;
    }

    public async Task<DispVM> CreateAsync()
    {
        DispVM? made = null;
        await Host.OnLoopAsync(async () =>
        {
            made = await Service.CreateAsync(Template, Origin, static _ => { });
        });
        return made!;
    }

    /// <summary>Has this many kept ready, and waits until they are.</summary>
    public async Task PreloadAsync(int count)
    {
        await Host.OnLoopAsync(() => Template.Features.Load(PreloadFeatures.Max, $"{count}"));
        await Host.OnLoopAsync(() => Service.PreloadAsync(Template, "test"));
    }

    public Task<string[]> ListAsync() => Host.OnLoopAsync(() => PreloadList.Of(Template));

    public Task<DispVM[]> DisposablesAsync() => Host.OnLoopAsync(() => Host.App.Domains.OfType<DispVM>().ToArray());

    public Task<DispVM> FindAsync(string name) => Host.OnLoopAsync(() => (DispVM)Host.App.Domains[name]);

    /// <summary>Completes when the next qube is gone.</summary>
    public Task NextRemovalAsync() => Host.Events.NextAsync("", "domain-delete");

    public static ChangeOrigin Origin { get; } = new("dom0", "test", DateTimeOffset.UnixEpoch);

    public async ValueTask DisposeAsync()
    {
        await Host.OnLoopAsync(() => Service.DisposeAsync().AsTask());
        await Host.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static async Task CommitAsync(ModelChange change)
    {
        // A disk answers later, never at once.
        await Task.Yield();
        change.Complete();
    }
}
