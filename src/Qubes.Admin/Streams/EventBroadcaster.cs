using Qubes.Admin.Calls;
using Qubes.Admin.Server;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Admin;
using Qubes.Protocol.Events;

namespace Qubes.Admin.Streams;

/// <summary>
/// Sends the model's events to the callers of <c>admin.Events</c>, in the order of firing. An event is encoded once, however
/// many listen, and not at all when nobody may see it. Belongs to the model loop.
/// </summary>
public sealed class EventBroadcaster : IEventObserver
{
    private readonly ReplyBuffer _buffer = new();
    private Subscriber[] _subscribers = [];

    public EventBroadcaster(QubesApp app) => app.Events.AddObserver(this);

    public int SubscriberCount => _subscribers.Length;

    /// <summary>Begins a stream of the events of one qube, or of everything if that is dom0.</summary>
    public void Subscribe(AdminCall call, AdminFilters filters)
    {
        Subscriber subscriber = new(call.Destination is AdminVM ? null : call.Destination, filters);
        subscriber.Stream = call.BeginStream(() => Remove(subscriber));
        _buffer.Truncate(0);
        AdminReplyWriter.BeginEvent(_buffer, "", "connection-established");
        AdminReplyWriter.EndEvent(_buffer);

        // Listening before the first message: there is no gap in which an event could get lost.
        _subscribers = [.. _subscribers, subscriber];
        subscriber.Stream.Send(_buffer.Written);
    }

    public void OnEvent(QubesEvent qubesEvent)
    {
        // The array is replaced, not changed, when a subscriber leaves while its message is sent.
        foreach (Subscriber subscriber in _subscribers)
        {
            if ((subscriber.Qube is null || subscriber.Qube == qubesEvent.Subject) && subscriber.Filters.Allows(qubesEvent))
            {
                qubesEvent.Encoded ??= Encode(qubesEvent);
                subscriber.Stream.Send((byte[])qubesEvent.Encoded);
            }
        }
    }

    private byte[] Encode(QubesEvent qubesEvent)
    {
        _buffer.Truncate(0);
        AdminReplyWriter.BeginEvent(_buffer, qubesEvent.Subject.SubjectText, qubesEvent.Name);
        foreach ((string key, object? value) in qubesEvent.Arguments.Items)
        {
            AdminReplyWriter.WriteEventKeyword(_buffer, key, EventValue.ToText(value));
        }

        AdminReplyWriter.EndEvent(_buffer);
        return _buffer.Written.ToArray();
    }

    private void Remove(Subscriber subscriber) => _subscribers = Array.FindAll(_subscribers, s => s != subscriber);

    private sealed class Subscriber(Qube? qube, AdminFilters filters)
    {
        /// <summary>Null: everything.</summary>
        public Qube? Qube { get; } = qube;

        public AdminFilters Filters { get; } = filters;

        public AdminEventSink Stream { get; set; }
    }
}
