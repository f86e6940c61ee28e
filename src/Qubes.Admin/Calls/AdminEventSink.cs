using Qubes.Admin.Server;
using Qubes.Protocol.Admin;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Calls;

/// <summary>The reply of a call that sends events until its caller goes.</summary>
public readonly struct AdminEventSink
{
    private readonly AdminConnection _connection;

    internal AdminEventSink(AdminConnection connection) => _connection = connection;

    public bool IsOpen => _connection.IsOpen;

    /// <summary>Sends one encoded event. A caller that is too far behind is disconnected.</summary>
    public void Send(ReadOnlySpan<byte> message) => _connection.Stream(message);

    /// <summary>Ends the stream with an error.</summary>
    public void End(QubesException error)
    {
        ReplyBuffer reply = new();
        AdminReplyWriter.WriteException(reply, error.WireName, error.Message);
        _connection.Reply(reply.Written);
    }
}
