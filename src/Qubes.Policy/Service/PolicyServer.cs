using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Qubes.Linux;

namespace Qubes.Policy.Service;

/// <summary>
/// <c>policy.sock</c>. All of it runs on the thread of the reactor, which is the one that owns what policy asks about: a
/// request that is complete when it is looked at is decided and answered without any switch of threads. What takes time (people,
/// reading changed files) is awaited, and other requests go on.
/// </summary>
public sealed class PolicyServer : IReactorHandler, IDisposable
{
    // The daemon of each qube has at most 256 calls undecided. One more unfinished request, and the oldest goes.
    private const int MaxUnfinished = 1024;
    private const int MostAcceptedAtOnce = 32;
    private static readonly TimeSpan s_pauseWithoutResources = TimeSpan.FromMilliseconds(100);

    private readonly UnixListener _listener;
    private readonly SafeHandle _socket;
    private readonly ReactorRegistration _registration;
    private readonly ReactorTimer _resume;
    private readonly LinkedList<PolicyConnection> _unfinished = new();
    private readonly HashSet<PolicyConnection> _connections = [];
    private bool _isDisposed;

    /// <summary>Begins to serve the listener, which becomes the server's.</summary>
    public PolicyServer(Reactor reactor, UnixListener listener, PolicyService service, ILogger logger)
    {
        Reactor = reactor;
        Service = service;
        Logger = logger;
        _listener = listener;
        _socket = listener.NonBlockingHandle;
        _registration = reactor.Add(_socket, ReactorEvents.Readable, this);
        _resume = reactor.CreateTimer(() => _registration.Change(ReactorEvents.Readable));
    }

    /// <summary>Backlog for the listener: a client that does not block on connecting is refused when it is full.</summary>
    public const int Backlog = 1024;

    /// <summary>How long a client may take to say what it wants.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    internal Reactor Reactor { get; }

    internal PolicyService Service { get; }

    internal ILogger Logger { get; }

    /// <summary>Where requests are read to; one that is complete at the first look stays here.</summary>
    internal byte[] ReceiveBuffer { get; } = new byte[PolicyQueryCodec.MaxRequest + 1];

    /// <inheritdoc/>
    public void OnReady(ReactorEvents events)
    {
        for (int i = 0; i < MostAcceptedAtOnce; i++)
        {
            switch (NonBlockingSocket.TryAccept(_socket, out SafeHandle? accepted))
            {
                case SocketResult.Done:
                    Begin(new PolicyConnection(this, accepted!));
                    break;
                case SocketResult.NoResources:
                    // The waiting connection stays readable: without a pause the loop would turn idle rounds.
                    PolicyLog.BadRequest(Logger, "out of file descriptors or memory");
                    _registration.Change(ReactorEvents.None);
                    _resume.Set(s_pauseWithoutResources);
                    return;
                case SocketResult.WouldBlock:
                    return;
                default:
                    // The peer gave up while it waited in the backlog.
                    break;
            }
        }
    }

    /// <summary>Stops listening and closes all connections; questions that are open are taken back.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _resume.Remove();
        _registration.Dispose();
        _listener.Dispose();
        foreach (PolicyConnection connection in _connections.ToArray())
        {
            connection.Close();
        }
    }

    internal void OnRequestRead(PolicyConnection connection)
    {
        if (connection.Place is { } place)
        {
            _unfinished.Remove(place);
            connection.Place = null;
        }
    }

    internal void OnClosed(PolicyConnection connection)
    {
        OnRequestRead(connection);
        _connections.Remove(connection);
    }

    private void Begin(PolicyConnection connection)
    {
        _connections.Add(connection);
        connection.Receive();
        if (!connection.IsReading)
        {
            return;
        }

        connection.Place = _unfinished.AddLast(connection);
        if (_unfinished.Count > MaxUnfinished)
        {
            _unfinished.First!.Value.Refuse("too many unfinished requests");
        }
    }
}
