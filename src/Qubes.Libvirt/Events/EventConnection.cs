using System.Threading.Channels;

namespace Qubes.Libvirt;

/// <summary>The connection that events arrive on.</summary>
internal sealed class EventConnection : IDisposable
{
    private readonly LibvirtConnection _connection;
    private readonly TaskCompletionSource<string> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EventSubscription? _subscription;

    private EventConnection(LibvirtConnection connection) => _connection = connection;

    internal string DriverName => _connection.DriverName;

    /// <summary>Completes with the reason when the connection breaks.</summary>
    internal Task<string> Closed => _closed.Task;

    internal static EventConnection Open(string uri) => new(LibvirtConnection.Open(uri));

    internal void Subscribe(ChannelWriter<HypervisorEvent> events) =>
        _subscription = EventSubscription.Create(_connection, happened => events.TryWrite(happened), reason => _closed.TrySetResult(reason));

    public void Dispose()
    {
        _subscription?.Dispose();
        _connection.Dispose();
    }
}
