namespace Qubes.Model.Events;

/// <summary>One handler at one level; disposing removes it.</summary>
public sealed class EventHandlerRegistration : IDisposable
{
    private readonly EventHandlers _owner;

    internal EventHandlerRegistration(
        EventHandlers owner, EmitterClass level, EventPattern pattern, bool isOwn, Action<QubesEvent>? handler, Func<QubesEvent, Task>? asyncHandler)
    {
        _owner = owner;
        Level = level;
        Pattern = pattern;
        IsOwn = isOwn;
        Handler = handler;
        AsyncHandler = asyncHandler;
    }

    internal EmitterClass Level { get; }

    internal EventPattern Pattern { get; }

    /// <summary>Belongs to the class itself: runs before extensions of the same level.</summary>
    internal bool IsOwn { get; }

    internal Action<QubesEvent>? Handler { get; }

    internal Func<QubesEvent, Task>? AsyncHandler { get; }

    public void Dispose() => _owner.Remove(this);
}
