using Qubes.Model;
using Qubes.Model.Events;

namespace Qubes.Extensions;

/// <summary>
/// Calls extensions back about events whose change is durable. What they write elsewhere, such as into a qube's QubesDB, cannot be
/// taken back with the change: it is written only when the change holds.
/// </summary>
internal sealed class DurableEvents : IEventObserver
{
    private readonly Dictionary<string, List<(string Prefix, Action<QubesEvent> Handler)>> _handlers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<(string Prefix, Action<QubesEvent> Handler)>>.AlternateLookup<ReadOnlySpan<char>> _byBase;

    public DurableEvents(QubesApp app)
    {
        _byBase = _handlers.GetAlternateLookup<ReadOnlySpan<char>>();
        app.Events.AddObserver(this);
    }

    /// <param name="eventBase">The name up to the colon.</param>
    /// <param name="detailPrefix">What the rest has to begin with.</param>
    /// <param name="handler">Must not throw.</param>
    public void On(string eventBase, string detailPrefix, Action<QubesEvent> handler)
    {
        if (!_handlers.TryGetValue(eventBase, out var list))
        {
            _handlers.Add(eventBase, list = []);
        }

        list.Add((detailPrefix, handler));
    }

    void IEventObserver.OnEvent(QubesEvent qubesEvent)
    {
        ReadOnlySpan<char> name = qubesEvent.Name;
        int colon = name.IndexOf(':');
        if (colon < 0 || !_byBase.TryGetValue(name[..colon], out var list))
        {
            return;
        }

        foreach ((string prefix, Action<QubesEvent> handler) in list)
        {
            if (name[(colon + 1)..].StartsWith(prefix))
            {
                handler(qubesEvent);
            }
        }
    }
}
