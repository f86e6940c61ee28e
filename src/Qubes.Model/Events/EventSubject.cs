namespace Qubes.Model.Events;

/// <summary>Anything events fire on: the application and the qubes.</summary>
public abstract class EventSubject
{
    private protected EventSubject()
    {
    }

    /// <summary>The application this belongs to (itself for the application).</summary>
    public abstract QubesApp App { get; }

    /// <summary>The levels at which handlers for this subject are looked up.</summary>
    public abstract EmitterClass EmitterClass { get; }

    /// <summary>False while the object is being built or loaded: nothing is dispatched then.</summary>
    public bool EventsEnabled { get; internal set; }

    /// <summary>The subject in event messages: a qube's name, empty for the application.</summary>
    public abstract string SubjectText { get; }

    /// <summary>True if a handler or observer would see this event: a caller may save itself the arguments.</summary>
    public bool HasHandlers(string name) => EventsEnabled && App.Events.HasHandlers(this, name);

    /// <summary>Fires a normal event synchronously: basic classes first, the most derived last. Null: nobody listened.</summary>
    public QubesEvent? Fire(string name, EventArguments arguments = default) =>
        EventsEnabled ? App.Events.Fire(this, name, arguments, isPre: false) : null;

    /// <summary>Fires a pre-event synchronously: the most derived class first. A handler's exception vetoes.</summary>
    public QubesEvent? FirePre(string name, EventArguments arguments = default) =>
        EventsEnabled ? App.Events.Fire(this, name, arguments, isPre: true) : null;

    /// <summary>As <see cref="Fire"/>, then runs all asynchronous handlers concurrently and awaits every one of them.</summary>
    public Task FireAsync(string name, EventArguments arguments = default) =>
        EventsEnabled ? App.Events.FireAsync(this, name, arguments, isPre: false) : Task.CompletedTask;

    /// <summary>As <see cref="FirePre"/>, then runs all asynchronous handlers concurrently and awaits every one of them.</summary>
    public Task FirePreAsync(string name, EventArguments arguments = default) =>
        EventsEnabled ? App.Events.FireAsync(this, name, arguments, isPre: true) : Task.CompletedTask;
}
