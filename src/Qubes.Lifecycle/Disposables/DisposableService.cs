using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Disposables;

/// <summary>
/// Disposables: made on request or handed out from those kept ready, removed when they stop. All of it is called on the model loop and
/// returns there.
/// </summary>
public sealed class DisposableService : IAsyncDisposable
{
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(3);

    private readonly DisposableContext _context;
    private readonly CancellationTokenSource _stopping = new();
    private readonly DisposableMaker _maker;
    private readonly DisposableCleaner _cleaner;
    private readonly PreloadRefill _refill;
    private readonly PreloadHandover _handover;

    /// <summary>Puts its handlers in place; <see cref="AttachAsync"/> follows when the lifecycle is attached.</summary>
    /// <param name="app">The model.</param>
    /// <param name="loop">The loop that owns it.</param>
    /// <param name="lifecycle">Makes, starts and ends the qubes.</param>
    /// <param name="commit">Makes a change durable and then completes it, or undoes it and throws.</param>
    /// <param name="options">What it depends on outside.</param>
    /// <param name="time">The clock of its delays and deadlines.</param>
    /// <param name="log">Where failures go that nobody waits for.</param>
    public DisposableService(QubesApp app, ModelLoop loop, IQubeLifecycle lifecycle, Func<ModelChange, Task> commit,
        DisposableOptions options, TimeProvider time, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(lifecycle);
        _context = new DisposableContext
        {
            App = app, Loop = loop, Lifecycle = lifecycle, CommitAsync = commit, Options = options, Time = time, Log = log,
            Stopping = _stopping.Token,
        };
        _maker = new DisposableMaker(_context);
        _cleaner = new DisposableCleaner(_context);
        PreloadFreshness freshness = new(_context);
        _refill = new PreloadRefill(_context, _maker, _cleaner, freshness);
        PreloadStages stages = new(_context);
        _handover = new PreloadHandover(_context, _cleaner, _refill, freshness, stages);
        _refill.Register(app.Events);
        stages.Register(app.Events);
        new PreloadTriggers(_context, _refill, _cleaner).Register(app.Events);
        lifecycle.DisposableEnded = OnEndedAsync;
    }

    /// <summary>
    /// Once, before requests are served: removes what an end of the daemon has left over. Disposables that run, and those that wait
    /// ready, stay.
    /// </summary>
    public async Task AttachAsync()
    {
        _context.Loop.VerifyAccess();
        foreach (QubesVM template in _context.App.Domains.OfType<QubesVM>().ToArray())
        {
            string[] names = PreloadList.Of(template);
            string[] known = [.. names.Where(name => _context.App.Domains.TryGet(name, out Qube? qube) && qube is DispVM)];
            if (known.Length != names.Length)
            {
                PreloadList.Set(template, known);
            }
        }

        await Task.WhenAll(_context.App.Domains.OfType<DispVM>().Where(IsLeftOver).ToArray().Select(_cleaner.RemoveAsync));
    }

    /// <summary>A disposable for somebody: one kept ready, which then runs, or a new one, which is halted.</summary>
    /// <param name="template">Where it is made from.</param>
    /// <param name="origin">Who asks.</param>
    /// <param name="authorise">
    /// The one place where it is judged whether the asker may have the qube as it is; marks it as theirs. Runs within the change that
    /// makes it or hands it out: an exception leaves nothing.
    /// </param>
    /// <exception cref="QubesException">Not a template of disposables, or it cannot be made.</exception>
    public async Task<DispVM> CreateAsync(Qube? template, ChangeOrigin origin, Action<DispVM> authorise)
    {
        QubesVM from = RequireTemplate(template);
        return await _handover.TakeAsync(from, origin, authorise) ?? await _maker.MakeAsync(from, origin, authorise);
    }

    /// <summary>Fills up what the template keeps ready, and waits for it.</summary>
    /// <exception cref="QubesException">Not a template of disposables, or preloading is not possible.</exception>
    public Task PreloadAsync(Qube? template, string reason) => _refill.StartAsync(RequireTemplate(template), reason);

    /// <summary>Removes a template with all that wait; until that is done no new ones are made.</summary>
    /// <param name="removal">Removes the template itself.</param>
    public async Task RemoveTemplateAsync(QubesVM template, Func<Task> removal)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(removal);
        _context.Leaving.Add(template);
        try
        {
            await ReleaseAsync(template);
            await removal();
        }
        finally
        {
            _context.Leaving.Remove(template);
        }
    }

    /// <summary>Removes all that wait.</summary>
    private Task ReleaseAsync(QubesVM template)
    {
        DispVM[] waiting = [.. _context.App.Domains.OfType<DispVM>().Where(qube => qube.Template == template && qube.IsPreload)];
        if (PreloadList.Of(template).Length > 0)
        {
            PreloadList.Set(template, []);
        }

        return Task.WhenAll(waiting.Select(_cleaner.RemoveAsync));
    }

    /// <summary>The host is about to sleep: what waits would be out of date when it wakes up.</summary>
    public Task ReleaseAllAsync() => Task.WhenAll(PreloadSettings.Templates(_context.App).Select(ReleaseAsync));

    /// <summary>Fills up every template again, in the background.</summary>
    public void PreloadAll(string reason)
    {
        foreach (AppVM template in PreloadSettings.Templates(_context.App))
        {
            _refill.StartInBackground(template, reason);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();

        // What still runs then is cleaned up by the next start.
        await Task.WhenAny(_context.DrainAsync(), Task.Delay(LongestGoodbye));
        _stopping.Dispose();
    }

    private static QubesVM RequireTemplate(Qube? template) => template is QubesVM qube and IDisposableTemplate { TemplateForDispVMs: true }
        ? qube
        : throw QubesErrors.General("Refusing to create disposable out of app qube which has template_for_dispvms=False");

    // Half prepared, half handed out, or ended while nobody was there to clean up.
    private static bool IsLeftOver(DispVM disposable) =>
        disposable.Features.IsTrue(PreloadFeatures.InProgress)
        || (disposable.IsHalted && (disposable.AutoCleanup || disposable.Features.IsTrue(PreloadFeatures.Completed)));

    private async Task OnEndedAsync(DispVM disposable)
    {
        _context.RunOf(disposable).Fail(QubesErrors.VMNotStarted(disposable.Name));
        if (disposable.AutoCleanup && disposable.IsHalted)
        {
            await _cleaner.RemoveAsync(disposable);
        }
    }
}
