using System.Collections.Frozen;
using Qubes.Model.Changes;
using Qubes.Model.Classes;

namespace Qubes.Model.Events;

/// <summary>
/// The registry of handlers and the dispatch of events. Order: levels as <see cref="EmitterClass"/> says; inside a level the
/// class's own handlers before extensions', each in order of registration. Observers see a pre-event before any handler may
/// refuse it, a normal one after all synchronous handlers; inside a change they see both when the change is durable.
/// </summary>
public sealed class EventHandlers
{
    /// <summary>Names of the catalogue are the daemon's: those of events that others make up begin so.</summary>
    public const string ForeignPrefix = "ext-";

    // Feature and tag names are part of event names, so callers can make any number of them up.
    private const int MaxCachedNames = 8192;

    private static readonly HandlerSet Nobody = new([], []);

    /// <summary>Events documented as asynchronous, by base name: only these may have asynchronous handlers.</summary>
    private static readonly FrozenSet<string> AsyncEvents = new[]
    {
        "pool-add", "pool-pre-delete", "pool-delete", "domain-create-on-disk", "domain-clone-files", "domain-remove-from-disk",
        "domain-pre-start", "domain-pre-spawn", "domain-spawn", "domain-start", "domain-start-failed", "domain-pre-unpaused",
        "domain-unpaused", "domain-pre-paused", "domain-resumed", "domain-pre-shutdown", "domain-shutdown-failed", "domain-stopped",
        "domain-shutdown", "domain-cmd-pre-run", "template-postinstall", "features-request", "domain-import-volume",
        "domain-preload-dispvm-start", "domain-preload-dispvm-used", "device-pre-attach", "device-attach", "device-pre-detach",
        "device-detach", "device-pre-assign", "device-assign", "device-assignment-changed", "device-unassign",
    }.ToFrozenSet(StringComparer.Ordinal);

    private readonly ChangeTracker _changes;
    private readonly List<EventHandlerRegistration> _registrations = [];
    private readonly Dictionary<(EmitterClass Class, string Name, bool IsPre), HandlerSet> _cache = [];
    private IEventObserver[] _observers = [];

    internal EventHandlers(ChangeTracker changes) => _changes = changes;

    /// <summary>Attaches a synchronous handler. Wildcards as in <see cref="EventPattern"/>.</summary>
    /// <param name="level">The class on whose instances it shall run.</param>
    /// <param name="pattern">The event's name.</param>
    /// <param name="handler">Runs on the model loop; an exception ends the walk and reaches whoever fired the event.</param>
    /// <param name="own">It belongs to the class itself, so it runs before extensions of that level.</param>
    public EventHandlerRegistration On(EmitterClass level, string pattern, Action<QubesEvent> handler, bool own = false)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return Add(new(this, level, new EventPattern(pattern), own, handler, asyncHandler: null));
    }

    /// <summary>Attaches an asynchronous handler; refused for events that are fired synchronously.</summary>
    public EventHandlerRegistration OnAwaited(EmitterClass level, string pattern, Func<QubesEvent, Task> handler, bool own = false)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return IsAsynchronous(pattern)
            ? Add(new(this, level, new EventPattern(pattern), own, handler: null, handler))
            : throw new ArgumentException($"event '{pattern}' is synchronous: it cannot have an asynchronous handler", nameof(pattern));
    }

    /// <summary>True if handlers of these events can be waited for. A pattern may have wildcards after the colon only.</summary>
    public static bool IsAsynchronous(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        string name = pattern.Split(':', 2)[0];
        return AsyncEvents.Contains(name) || (name.StartsWith(ForeignPrefix, StringComparison.Ordinal) && !name.AsSpan().ContainsAny("*?["));
    }

    public void AddObserver(IEventObserver observer) => _observers = [.. _observers, observer];

    public void RemoveObserver(IEventObserver observer) => _observers = [.. _observers.Where(o => o != observer)];

    internal bool HasHandlers(EventSubject subject, string name) =>
        Find(subject, name, isPre: false) != Nobody || Find(subject, name, isPre: true) != Nobody
        || (_observers.Length > 0 && IsVisible(subject, name));

    internal QubesEvent? Fire(EventSubject subject, string name, EventArguments arguments, bool isPre)
    {
        HandlerSet handlers = Find(subject, name, isPre);
        bool visible = _observers.Length > 0 && IsVisible(subject, name);
        if (handlers == Nobody && !visible)
        {
            return null;
        }

        QubesEvent qubesEvent = new(subject, name, arguments, isPre);
        Walk(qubesEvent, handlers, visible);
        return qubesEvent;
    }

    internal Task FireAsync(EventSubject subject, string name, EventArguments arguments, bool isPre)
    {
        HandlerSet handlers = Find(subject, name, isPre);
        bool visible = _observers.Length > 0 && IsVisible(subject, name);
        if (handlers == Nobody && !visible)
        {
            return Task.CompletedTask;
        }

        QubesEvent qubesEvent = new(subject, name, arguments, isPre);
        return RunAsync();

        async Task RunAsync()
        {
            Walk(qubesEvent, handlers, visible);
            if (handlers.Async.Length > 0)
            {
                // Every one runs to its end even if another fails; the first failure in order of dispatch is the caller's.
                await Task.WhenAll(handlers.Async.Select(StartAsync));
            }
        }

        // A handler that throws before its first await must not keep the others from starting.
        async Task StartAsync(EventHandlerRegistration registration) => await registration.AsyncHandler!(qubesEvent);
    }

    internal void Remove(EventHandlerRegistration registration)
    {
        _registrations.Remove(registration);
        _cache.Clear();
    }

    /// <summary>Hands an event to the observers; called by the change it belongs to once that is durable.</summary>
    internal void Deliver(QubesEvent qubesEvent)
    {
        foreach (IEventObserver observer in _observers)
        {
            observer.OnEvent(qubesEvent);
        }
    }

    /// <summary>Queries and permission events are between the daemon and its handlers; a qube outside the collection is not seen.</summary>
    private static bool IsVisible(EventSubject subject, string name) =>
        !name.StartsWith("admin-permission:", StringComparison.Ordinal)
        && !name.StartsWith("device-get:", StringComparison.Ordinal)
        && !name.StartsWith("device-list:", StringComparison.Ordinal)
        && !name.StartsWith("device-list-attached:", StringComparison.Ordinal)
        && name != "domain-is-fully-usable"
        && (subject is not Qube qube || qube.IsInCollection);

    private void Walk(QubesEvent qubesEvent, HandlerSet handlers, bool visible)
    {
        if (visible && qubesEvent.IsPre)
        {
            Observe(qubesEvent);
        }

        foreach (EventHandlerRegistration registration in handlers.Sync)
        {
            registration.Handler!(qubesEvent);
        }

        if (visible && !qubesEvent.IsPre)
        {
            Observe(qubesEvent);
        }
    }

    private void Observe(QubesEvent qubesEvent)
    {
        if (_changes.Current is { } change)
        {
            change.Queue(qubesEvent);
        }
        else
        {
            Deliver(qubesEvent);
        }
    }

    private EventHandlerRegistration Add(EventHandlerRegistration registration)
    {
        _registrations.Add(registration);
        _cache.Clear();
        return registration;
    }

    private HandlerSet Find(EventSubject subject, string name, bool isPre)
    {
        EmitterClass emitter = subject.EmitterClass;
        if (_cache.TryGetValue((emitter, name, isPre), out HandlerSet? found))
        {
            return found;
        }

        if (_cache.Count >= MaxCachedNames)
        {
            _cache.Clear();
        }

        return _cache[(emitter, name, isPre)] = Resolve(emitter, name, isPre);
    }

    private HandlerSet Resolve(EmitterClass emitter, string name, bool isPre)
    {
        IEnumerable<EmitterClass> levels = isPre ? emitter.Levels : emitter.Levels.Reverse();
        List<EventHandlerRegistration> matching = [];
        foreach (EmitterClass level in levels)
        {
            matching.AddRange(_registrations.Where(r => r.Level == level && r.Pattern.Matches(name)).OrderByDescending(r => r.IsOwn));
        }

        return matching.Count == 0
            ? Nobody
            : new([.. matching.Where(r => r.Handler is not null)], [.. matching.Where(r => r.AsyncHandler is not null)]);
    }

    private sealed record HandlerSet(EventHandlerRegistration[] Sync, EventHandlerRegistration[] Async);
}
