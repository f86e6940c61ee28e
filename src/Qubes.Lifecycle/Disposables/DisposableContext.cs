using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;

namespace Qubes.Lifecycle.Disposables;

/// <summary>What the parts that make, keep and remove disposables share. Belongs to the model loop.</summary>
internal sealed class DisposableContext
{
    private readonly ConditionalWeakTable<DispVM, PreloadRun> _runs = [];
    private readonly HashSet<Task> _background = [];

    public required QubesApp App { get; init; }

    public required ModelLoop Loop { get; init; }

    public required IQubeLifecycle Lifecycle { get; init; }

    /// <summary>Makes a change durable and then completes it, or undoes it and throws.</summary>
    public required Func<ModelChange, Task> CommitAsync { get; init; }

    public required DisposableOptions Options { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Log { get; init; }

    /// <summary>The daemon stops: nothing new is begun.</summary>
    public required CancellationToken Stopping { get; init; }

    /// <summary>Templates that are being removed: none is preloaded from them.</summary>
    public HashSet<QubesVM> Leaving { get; } = [];

    /// <summary>The daemon's own doing.</summary>
    public ChangeOrigin Own(string what) => new("qubesd", what, Time.GetUtcNow());

    public PreloadRun RunOf(DispVM disposable) => _runs.GetOrCreateValue(disposable);

    /// <summary>
    /// Does something later on the loop, after the change that led to it, if that holds, and outside of the call. A failure is logged: nobody
    /// waits for it.
    /// </summary>
    public void Background(string what, Func<Task> work) => App.Changes.WhenHolds(() =>
    {
        if (!Stopping.IsCancellationRequested)
        {
            // Queued, not run at once: what the change has to tell is told before.
            Track(Loop.InvokeAsync(() => RunAsync(what, work)));
        }
    });

    /// <summary>As <see cref="Background"/>, after a while.</summary>
    public void Later(string what, TimeSpan delay, Func<Task> work) => Background(what, async () =>
    {
        await Task.Delay(delay, Time, Stopping);
        await work();
    });

    /// <summary>Waits for what is under way in the background.</summary>
    public Task DrainAsync() => Task.WhenAll(_background);

    private void Track(Task task)
    {
        _background.Add(task);
        _ = ForgetAsync(task);
    }

    private async Task ForgetAsync(Task task)
    {
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _background.Remove(task);
    }

    private async Task RunAsync(string what, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            // The next daemon looks at what there is.
        }
        catch (Exception failure)
        {
            Log.LogError(failure, "Disposables: {What} failed", what);
        }
    }
}
