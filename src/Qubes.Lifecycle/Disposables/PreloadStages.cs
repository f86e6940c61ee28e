using Microsoft.Extensions.Logging;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Disposables;

/// <summary>
/// The stages of one disposable started ahead of need: its guest gets ready, it is paused, it is woken up and becomes an ordinary one.
/// </summary>
internal sealed class PreloadStages(DisposableContext context)
{
    internal void Register(EventHandlers events)
    {
        events.OnAwaited(EmitterClass.DispVM, "domain-start", PrepareAsync, own: true);
        events.On(EmitterClass.DispVM, "domain-pre-paused", RefusePause, own: true);
        events.OnAwaited(EmitterClass.DispVM, "domain-unpaused", OnUnpausedAsync, own: true);
    }

    /// <summary>From here on it is an ordinary disposable, whoever woke it up; its place is filled again.</summary>
    internal async Task UseAsync(DispVM disposable)
    {
        bool wasRequested = disposable.PreloadRequested;
        QubesVM template = disposable.Template!;
        using (ModelChange change = context.App.Changes.Begin(context.Own("use preloaded disposable")))
        {
            if (disposable.Features.Contains(PreloadFeatures.Internal) && !template.Features.IsTrue(PreloadFeatures.Internal))
            {
                disposable.Features.Remove(PreloadFeatures.Internal);
            }

            if (wasRequested)
            {
                disposable.PreloadRequested = false;
                if (disposable.Features.Contains(PreloadFeatures.InProgress))
                {
                    disposable.Features.Remove(PreloadFeatures.InProgress);
                }
            }
            else
            {
                PreloadList.Remove(template, disposable.Name);
                disposable.Features.Set(PreloadFeatures.InProgress, value: false);
            }

            await context.CommitAsync(change);
        }

        if (context.Options.Network is { } network)
        {
            await network.ApplyAsync(disposable);
        }

        double delay = PreloadSettings.DelayOf(template);
        if (delay >= 0 || PreloadList.Of(template).Length == 0)
        {
            context.Background($"preloading from {template.Name}", () => template.FireAsync(
                PreloadRefill.UsedEvent, EventArguments.Of(("dispvm", disposable), ("delay", delay))));
        }
    }

    private async Task PrepareAsync(QubesEvent started)
    {
        DispVM disposable = (DispVM)started.Subject;
        if (!disposable.IsPreload || disposable.Features.IsTrue(PreloadFeatures.Completed))
        {
            return;
        }

        PreloadRun run = context.RunOf(disposable);
        try
        {
            await WaitForGuestAsync(disposable, run);
            await PauseAsync(disposable);
            using ModelChange change = context.App.Changes.Begin(context.Own("preload disposable"));
            disposable.Features.Set(PreloadFeatures.Completed, value: true);
            if (!disposable.PreloadRequested)
            {
                disposable.Features.Set(PreloadFeatures.InProgress, value: false);
            }

            await context.CommitAsync(change);
            run.Complete();
        }
        catch (Exception failure)
        {
            run.Fail(failure);
            throw;
        }
    }

    /// <summary>Until the guest says that all its services run; a request makes an end of waiting.</summary>
    private async Task WaitForGuestAsync(DispVM disposable, PreloadRun run)
    {
        if (context.Options.Services is not { } services)
        {
            return;
        }

        List<string> needed = [PreloadFeatures.WaitForSystem];
        if (disposable.GuiVM is not null && PreloadSettings.IsTrue(disposable, "gui")
            && PreloadSettings.IsTrue(disposable, "supported-feature.late-gui-daemon"))
        {
            needed.Add(PreloadFeatures.WaitForSession);
        }

        using CancellationTokenSource giveUp = CancellationTokenSource.CreateLinkedTokenSource(run.Requested, context.Stopping);
        try
        {
            await Task.WhenAll(needed.Select(service => CallAsync(services, disposable, service, giveUp.Token)));
        }
        catch (OperationCanceledException) when (run.Requested.IsCancellationRequested)
        {
            // It is wanted as it is.
        }
    }

    private async Task CallAsync(IGuestServices services, DispVM disposable, string service, CancellationToken giveUp)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(giveUp);
        try
        {
            await services.RunAsync(disposable, service, end.Token).WaitAsync(TimeSpan.FromSeconds(disposable.QrexecTimeout), context.Time, giveUp);
        }
        catch (TimeoutException)
        {
            await end.CancelAsync();
            throw QubesErrors.General(
                $"Timed out call to '{service}' after '{disposable.QrexecTimeout}' seconds during preload startup of {disposable.Name}");
        }
        catch (QubesException failure)
        {
            throw new QubesException(
                QubesErrorNames.QubesException, $"Error on call to '{service}' during preload startup of {disposable.Name}: {failure.Message}", failure);
        }
    }

    private async Task PauseAsync(DispVM disposable)
    {
        if (disposable.PreloadRequested)
        {
            return;
        }

        try
        {
            await context.Lifecycle.PauseAsync(disposable);
        }
        catch (QubesException failure) when (failure.Is(QubesErrorNames.VMCancelledPause))
        {
            context.Log.LogDebug("{Qube} is wanted before it was paused", disposable.Name);
        }
    }

    private static void RefusePause(QubesEvent asked)
    {
        DispVM disposable = (DispVM)asked.Subject;
        if (disposable.PreloadRequested)
        {
            throw QubesErrors.VMCancelledPause(disposable.Name);
        }
    }

    // Its own start resumes it too, before it is ready.
    private Task OnUnpausedAsync(QubesEvent happened)
    {
        DispVM disposable = (DispVM)happened.Subject;
        return disposable.IsPreload && disposable.Features.IsTrue(PreloadFeatures.Completed) ? UseAsync(disposable) : Task.CompletedTask;
    }
}
