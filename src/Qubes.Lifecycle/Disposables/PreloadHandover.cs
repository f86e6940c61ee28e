using Microsoft.Extensions.Logging;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;

namespace Qubes.Lifecycle.Disposables;

/// <summary>Gives a disposable that was started ahead of need to whoever asks for one.</summary>
internal sealed class PreloadHandover(
    DisposableContext context, DisposableCleaner cleaner, PreloadRefill refill, PreloadFreshness freshness, PreloadStages stages)
{
    private const int LeastGapDelay = 5;
    private const double PatienceFactor = 1.2;

    /// <summary>The oldest that is good, in use now; null if there is none.</summary>
    /// <param name="authorise">Judges and marks it within the change that hands it out; an exception ends the call.</param>
    internal async Task<DispVM?> TakeAsync(QubesVM template, ChangeOrigin origin, Action<DispVM> authorise)
    {
        FillGap(template);
        while (PreloadList.Of(template) is [string name, ..])
        {
            if (!context.App.Domains.TryGet(name, out Qube? qube) || qube is not DispVM disposable)
            {
                PreloadList.Remove(template, name);
                continue;
            }

            await ClaimAsync(template, disposable, origin, authorise);
            if (await freshness.IsOutdatedAsync(disposable))
            {
                GiveUp(disposable, "it is outdated");
                continue;
            }

            // Waiting again for another that is being prepared would take longer than a new one.
            return await IsReadyAsync(disposable) ? disposable : null;
        }

        return null;
    }

    private void FillGap(QubesVM template)
    {
        double delay = PreloadSettings.DelayOf(template);
        if (PreloadSettings.HasVacancy(template) && (delay >= 0 || PreloadList.Of(template).Length == 0))
        {
            refill.StartInBackground(template, "there is a gap", delay > LeastGapDelay ? (IConvertible)delay : LeastGapDelay);
        }
    }

    /// <summary>Takes it out of the list before anything is waited for: nobody else gets it.</summary>
    private async Task ClaimAsync(QubesVM template, DispVM disposable, ChangeOrigin origin, Action<DispVM> authorise)
    {
        using ModelChange change = context.App.Changes.Begin(origin);
        authorise(disposable);
        disposable.Features.Set(PreloadFeatures.InProgress, value: true);
        disposable.PreloadRequested = true;
        PreloadList.Remove(template, disposable.Name);
        context.RunOf(disposable).Request();
        try
        {
            await context.CommitAsync(change);
        }
        catch
        {
            disposable.PreloadRequested = false;
            throw;
        }
    }

    private async Task<bool> IsReadyAsync(DispVM disposable)
    {
        try
        {
            if (!disposable.Features.IsTrue(PreloadFeatures.Completed))
            {
                TimeSpan patience = TimeSpan.FromSeconds((int)(disposable.QrexecTimeout * PatienceFactor));
                await context.RunOf(disposable).Completed.WaitAsync(patience, context.Time, context.Stopping);
            }

            if (disposable.PowerState == PowerState.Paused)
            {
                // The handler of that event makes it an ordinary one.
                await context.Lifecycle.UnpauseAsync(disposable);
            }
            else if (disposable.IsRunning)
            {
                await stages.UseAsync(disposable);
            }

            if (disposable.IsInCollection && disposable.IsRunning && !disposable.IsPreload)
            {
                return true;
            }

            GiveUp(disposable, "it has ended");
        }
        catch (Exception failure) when (!context.Stopping.IsCancellationRequested)
        {
            GiveUp(disposable, failure.Message);
        }

        return false;
    }

    private void GiveUp(DispVM disposable, string reason)
    {
        context.Log.LogWarning("The preloaded disposable {Qube} is not used: {Reason}", disposable.Name, reason);
        disposable.PreloadRequested = false;
        cleaner.RemoveSoon(disposable);
    }
}
