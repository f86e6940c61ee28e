using System.Globalization;
using Microsoft.Extensions.Logging;
using Qubes.Model.Classes;
using Qubes.Model.Disposables;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Lifecycle.Disposables;

/// <summary>Brings the number of disposables a template keeps ready to what is wanted.</summary>
internal sealed class PreloadRefill(DisposableContext context, DisposableMaker maker, DisposableCleaner cleaner, PreloadFreshness freshness)
{
    internal const string StartEvent = "domain-preload-dispvm-start";
    internal const string UsedEvent = "domain-preload-dispvm-used";

    private readonly FreeMemory _memory = new(context);
    private readonly HashSet<QubesVM> _refreshing = [];

    internal void Register(EventHandlers events)
    {
        events.OnAwaited(EmitterClass.DVMTemplateMixin, StartEvent, RefillAsync, own: true);
        events.OnAwaited(EmitterClass.DVMTemplateMixin, UsedEvent, RefillAsync, own: true);
    }

    /// <summary>Tells clients, and refills; whoever waits learns what went wrong.</summary>
    /// <param name="template">Whose disposables.</param>
    /// <param name="reason">Why, for the event and the log.</param>
    /// <param name="delay">Seconds before the refill. Clients are told a whole number, or one with a fraction, as it is given here.</param>
    internal Task StartAsync(QubesVM template, string reason, IConvertible? delay = null)
    {
        context.Log.LogDebug("Preloading from {Template}: {Reason}", template.Name, reason);
        return template.FireAsync(
            StartEvent, delay is not null ? EventArguments.Of(("reason", reason), ("delay", delay)) : EventArguments.Of("reason", reason));
    }

    internal void StartInBackground(QubesVM template, string reason, IConvertible? delay = null) =>
        context.Background($"preloading from {template.Name}", () => StartAsync(template, reason, delay));

    /// <summary>Drops those that no longer match the template, then refills after a while. Several causes at once are one.</summary>
    internal void RefreshInBackground(QubesVM template, string reason, int delay) =>
        context.App.Changes.WhenHolds(() => Refresh(template, reason, delay));

    private void Refresh(QubesVM template, string reason, int delay)
    {
        if ((PreloadSettings.MaximumOf(template) == 0 && PreloadList.Of(template).Length == 0) || !_refreshing.Add(template))
        {
            return;
        }

        context.Background($"a look at the disposables of {template.Name}", async () =>
        {
            _refreshing.Remove(template);
            await DropOutdatedAsync(template);
            if (template.IsInCollection && PreloadSettings.MaximumOf(template) > 0)
            {
                StartInBackground(template, reason, delay);
            }
        });
    }

    private async Task DropOutdatedAsync(QubesVM template)
    {
        foreach (string name in PreloadList.Of(template))
        {
            if (context.App.Domains.TryGet(name, out Qube? qube) && qube is DispVM disposable
                && await freshness.IsOutdatedAsync(disposable) && disposable.IsInPreloadList)
            {
                cleaner.RemoveSoon(disposable);
            }
        }
    }

    private async Task RefillAsync(QubesEvent asked)
    {
        QubesVM template = (QubesVM)asked.Subject;
        PreloadSettings.RequireSupport(template);
        if (asked.Arguments["delay"] is IConvertible delay && delay.ToDouble(CultureInfo.InvariantCulture) is var seconds and not 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Abs(seconds)), context.Time, context.Stopping);
        }

        if (!template.IsInCollection || template is not IDisposableTemplate { TemplateForDispVMs: true })
        {
            return;
        }

        cleaner.Trim(template, PreloadSettings.MaximumOf(template));
        int wanted = PreloadSettings.MaximumOf(template) - PreloadList.Of(template).Length;
        if (wanted <= 0)
        {
            return;
        }

        int count = await _memory.LimitAsync(template, wanted);
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => PreloadAsync(template)));
    }

    /// <summary>Makes one and starts it; the handler of its start prepares it.</summary>
    private async Task PreloadAsync(QubesVM template)
    {
        if (!template.IsInCollection || context.Leaving.Contains(template) || !PreloadSettings.HasVacancy(template)
            || context.Stopping.IsCancellationRequested)
        {
            // Somebody else was quicker, or the template goes.
            context.Log.LogWarning("No disposable of {Template} is preloaded: there is no vacancy any more", template.Name);
            return;
        }

        HashSet<string> before = [.. PreloadList.Of(template)];
        DispVM? disposable = null;
        try
        {
            Task<DispVM> making = maker.MakePreloadAsync(template);
            disposable = Entered(template, before);
            disposable = await making;
            await context.Lifecycle.StartAsync(disposable);
        }
        catch (Exception failure)
        {
            context.Log.LogError(failure, "A disposable of {Template} could not be preloaded", template.Name);
            if (disposable is not null)
            {
                context.RunOf(disposable).Fail(failure);
                await cleaner.RemoveAsync(disposable);
            }

            throw failure as QubesException ?? QubesErrors.General($"A disposable of {template.Name} could not be preloaded: {failure.Message}");
        }
    }

    // Entering happens before the first wait; the disposable is known even if what follows fails.
    private DispVM? Entered(QubesVM template, HashSet<string> before) =>
        PreloadList.Of(template).FirstOrDefault(name => !before.Contains(name)) is { } name
        && context.App.Domains.TryGet(name, out Qube? qube) ? qube as DispVM : null;
}
