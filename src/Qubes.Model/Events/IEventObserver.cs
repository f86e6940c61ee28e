namespace Qubes.Model.Events;

/// <summary>
/// Sees every event clients may see, in the order in which they were fired, after the change they belong to is durable.
/// Called on the model loop; must not block, must not throw, must take what it needs from mutable objects at once.
/// </summary>
public interface IEventObserver
{
    void OnEvent(QubesEvent qubesEvent);
}
