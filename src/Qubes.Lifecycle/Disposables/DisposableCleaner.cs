using Microsoft.Extensions.Logging;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Disposables;

/// <summary>Removes disposables nobody needs any more.</summary>
internal sealed class DisposableCleaner(DisposableContext context)
{
    // A start under way ends with a running qube, which is then killed once more.
    private const int Attempts = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Ends it if it runs, and removes it with its data. A failure is logged, and tried again after a while and at the next start; what
    /// somebody still refers to stays.
    /// </summary>
    internal Task RemoveAsync(DispVM disposable) => RemoveAsync(disposable, LogLevel.Error);

    private async Task RemoveAsync(DispVM disposable, LogLevel importance)
    {
        for (int attempt = 1; disposable.IsInCollection; attempt++)
        {
            try
            {
                await KillAsync(disposable);
                await RemoveHaltedAsync(disposable);
            }
            catch (QubesException failure) when (failure.Is(QubesErrorNames.VMNotHalted) && attempt < Attempts)
            {
                // It was being started.
            }
            catch (Exception failure)
            {
                if (disposable.IsInCollection)
                {
                    context.Log.Log(importance, failure, "The disposable {Qube} could not be removed", disposable.Name);
                    if (failure is not QubesException named || !named.Is(QubesErrorNames.VMInUse))
                    {
                        // Told once: the hypervisor or the disk may be away for long.
                        context.Later($"removal of {disposable.Name}", RetryPause, () => RemoveAsync(disposable, LogLevel.Debug));
                    }
                }

                return;
            }
        }
    }

    /// <summary>Takes it out of its template's list now and removes it soon: whoever looks at it just now may finish.</summary>
    internal void RemoveSoon(DispVM disposable)
    {
        if (disposable.Template is { } template)
        {
            PreloadList.Remove(template, disposable.Name);
        }

        context.Later($"removal of {disposable.Name}", Pause, () => RemoveAsync(disposable));
    }

    /// <summary>Keeps the first <paramref name="count"/> of a template's list; the others are removed in the background.</summary>
    internal void Trim(QubesVM template, int count)
    {
        string[] names = PreloadList.Of(template);
        if (names.Length <= count)
        {
            return;
        }

        PreloadList.Set(template, names[..count]);
        foreach (string name in names.AsSpan(count))
        {
            if (context.App.Domains.TryGet(name, out Qube? qube) && qube is DispVM disposable)
            {
                context.Background($"removal of {name}", () => RemoveAsync(disposable));
            }
        }
    }

    private async Task KillAsync(DispVM disposable)
    {
        if (disposable.IsHalted)
        {
            return;
        }

        try
        {
            await context.Lifecycle.KillAsync(disposable);
        }
        catch (QubesException failure) when (failure.Is(QubesErrorNames.VMNotStarted))
        {
            // It ended by itself.
        }
    }

    private async Task RemoveHaltedAsync(DispVM disposable)
    {
        if (!disposable.IsInCollection)
        {
            return;
        }

        await context.Lifecycle.RemoveAsync(disposable, async () =>
        {
            using ModelChange change = context.App.Changes.Begin(context.Own("remove disposable"));
            context.App.Domains.Remove(disposable);
            await context.CommitAsync(change);
        });
    }
}
