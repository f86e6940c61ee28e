namespace Qubes.Protocol.Events;

/// <summary>An object that may stand as the value of an event's keyword.</summary>
public interface IEventValue
{
    /// <summary>The value as clients see it: a qube, label or pool its name, a volume its vid, a device its identifier.</summary>
    string EventText { get; }
}
