using System.Runtime.InteropServices;
using Qubes.Linux;

namespace Qubes.Admin.Server;

/// <summary>Takes connections off one of the sockets.</summary>
internal sealed class AdminListener : IReactorHandler, IDisposable
{
    // Between two looks at the connections that are already there.
    private const int MostAcceptedAtOnce = 32;
    private static readonly TimeSpan PauseWithoutResources = TimeSpan.FromMilliseconds(100);

    private readonly AdminServer _server;
    private readonly UnixListener _listener;
    private readonly SafeHandle _socket;
    private readonly AdminSocketKind _kind;
    private readonly ReactorRegistration _registration;
    private readonly ReactorTimer _resume;

    public AdminListener(AdminServer server, UnixListener listener, AdminSocketKind kind)
    {
        _server = server;
        _listener = listener;
        _socket = listener.NonBlockingHandle;
        _kind = kind;
        _registration = server.Reactor.Add(_socket, ReactorEvents.Readable, this);
        _resume = server.Reactor.CreateTimer(() => _registration.Change(ReactorEvents.Readable));
    }

    public void OnReady(ReactorEvents events)
    {
        for (int i = 0; i < MostAcceptedAtOnce; i++)
        {
            switch (NonBlockingSocket.TryAccept(_socket, out SafeHandle? connection))
            {
                case SocketResult.Done:
                    _server.OnAccepted(connection!, _kind);
                    break;
                case SocketResult.NoResources:
                    // The waiting connection stays readable: without a pause the loop would turn idle rounds at full speed.
                    _server.OnNoResources();
                    _registration.Change(ReactorEvents.None);
                    _resume.Set(PauseWithoutResources);
                    return;
                case SocketResult.WouldBlock:
                    return;
                default:
                    // The peer gave up while it waited in the backlog.
                    break;
            }
        }
    }

    public void Dispose()
    {
        _resume.Remove();
        _registration.Dispose();
        _listener.Dispose();
    }
}
