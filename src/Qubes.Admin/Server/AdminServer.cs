using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Admin;

namespace Qubes.Admin.Server;

/// <summary>
/// The sockets of the Admin API. All of it runs on the model loop's thread, in the loop's waits: a request that is
/// complete when it is looked at is read, handled and answered without any switch of threads.
/// </summary>
public sealed class AdminServer
{
    private readonly ILogger _logger;
    private readonly List<AdminListener> _listeners = [];
    private readonly HashSet<AdminConnection> _connections = [];
    private TaskCompletionSource? _idle;
    private int _reading;

    /// <param name="reactor">The one the model loop waits on.</param>
    /// <param name="dispatcher">Gets each complete request.</param>
    /// <param name="limits">What clients may take.</param>
    /// <param name="logger">Told of refused connections.</param>
    public AdminServer(Reactor reactor, IAdminDispatcher dispatcher, AdminServerLimits limits, ILogger logger)
    {
        Reactor = reactor;
        Dispatcher = dispatcher;
        Limits = limits;
        Deadlines = new DeadlineQueue(reactor, limits.ClientDeadline);
        _logger = logger;
    }

    public AdminServerLimits Limits { get; }

    /// <summary>How many connections are open, subscribers included.</summary>
    public int ConnectionCount => _connections.Count;

    internal Reactor Reactor { get; }

    internal IAdminDispatcher Dispatcher { get; }

    internal DeadlineQueue Deadlines { get; }

    internal ReplyBuffers Buffers { get; } = new();

    /// <summary>One byte more than a request may have, so that too much is seen as such.</summary>
    internal byte[] ReceiveBuffer { get; } = new byte[AdminLimits.MaxRequestBytes + 1];

    /// <summary>Begins to serve a socket, which becomes the server's.</summary>
    public void Listen(UnixListener listener, AdminSocketKind kind) => _listeners.Add(new AdminListener(this, listener, kind));

    /// <summary>
    /// Takes no more connections, closes those whose request is not complete, and waits for the calls that run, but not for
    /// streams. Call <see cref="CloseAll"/> afterwards.
    /// </summary>
    public Task StopAcceptingAsync()
    {
        foreach (AdminListener listener in _listeners)
        {
            listener.Dispose();
        }

        _listeners.Clear();
        foreach (AdminConnection connection in _connections.Where(c => c.IsReading).ToArray())
        {
            connection.Close();
        }

        _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        SignalIfIdle();
        return _idle.Task;
    }

    /// <summary>Closes every connection, streams and running calls included.</summary>
    public void CloseAll()
    {
        foreach (AdminConnection connection in _connections.ToArray())
        {
            connection.Close();
        }

        Deadlines.Dispose();
    }

    internal void OnAccepted(SafeHandle socket, AdminSocketKind kind)
    {
        AdminConnection connection = new(this, socket, kind);
        _connections.Add(connection);
        _reading++;
        Deadlines.Restart(connection);
        connection.Receive();
        if (_reading > Limits.UnfinishedRequests && OldestUnfinished() is { } oldest)
        {
            _logger.LogWarning("Too many unfinished requests: the oldest is refused");
            oldest.Evict();
        }
    }

    internal void OnNoResources()
    {
        _logger.LogError("Out of file descriptors or memory: connections have to wait");
        OldestUnfinished()?.Evict();
    }

    /// <summary>The connection leaves the state of reading.</summary>
    internal void OnRequestRead(AdminConnection connection)
    {
        _reading--;
        Deadlines.Remove(connection);
    }

    internal void OnSubscriberTooSlow(AdminConnection connection) =>
        _logger.LogWarning("A subscriber on the {Socket} socket does not read its events: disconnected", connection.Kind);

    internal void OnClosed(AdminConnection connection, bool wasReading)
    {
        if (wasReading)
        {
            _reading--;
        }

        Deadlines.Remove(connection);
        _connections.Remove(connection);
        SignalIfIdle();
    }

    private AdminConnection? OldestUnfinished()
    {
        AdminConnection? at = Deadlines.First;
        while (at is { IsReading: false })
        {
            at = at.Next;
        }

        return at;
    }

    private void SignalIfIdle()
    {
        if (_idle is null)
        {
            return;
        }

        foreach (AdminConnection connection in _connections)
        {
            if (!connection.IsStream)
            {
                return;
            }
        }

        _idle.TrySetResult();
    }
}
