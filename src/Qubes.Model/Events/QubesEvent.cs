namespace Qubes.Model.Events;

/// <summary>One event being dispatched: what happened to whom, and what the handlers answered.</summary>
public sealed class QubesEvent(EventSubject subject, string name, EventArguments arguments, bool isPre)
{
    private List<object>? _results;

    public EventSubject Subject { get; } = subject;

    /// <summary>The full name, <c>base</c> or <c>base:detail</c>.</summary>
    public string Name { get; } = name;

    public EventArguments Arguments { get; } = arguments;

    /// <summary>Fired before the change it tells of, and able to veto it.</summary>
    public bool IsPre { get; } = isPre;

    /// <summary>The part of the name after the first colon; empty without one.</summary>
    public ReadOnlySpan<char> Detail
    {
        get
        {
            int colon = Name.IndexOf(':', StringComparison.Ordinal);
            return colon < 0 ? [] : Name.AsSpan(colon + 1);
        }
    }

    /// <summary>What handlers contributed (permission filters, paths, votes), in order of dispatch.</summary>
    public IReadOnlyList<object> Results => _results ?? (IReadOnlyList<object>)[];

    /// <summary>
    /// A place where the sender of event streams keeps the encoded form, so that it is made once for all
    /// subscribers and not at all when there is none.
    /// </summary>
    public object? Encoded { get; set; }

    public void AddResult(object result) => (_results ??= []).Add(result);
}
