using Qubes.Admin.Server;

namespace Qubes.Admin.Calls;

/// <summary>The reply of a call that sends events until its caller goes.</summary>
public readonly struct AdminEventSink
{
    private readonly AdminConnection _connection;

    internal AdminEventSink(AdminConnection connection) => _connection = connection;

    public bool IsOpen => _connection.IsOpen;

    /// <summary>Sends one encoded event. A caller that is too far behind is disconnected.</summary>
    public void Send(ReadOnlySpan<byte> message) => _connection.Stream(message);
}
