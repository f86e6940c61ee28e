using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Linux;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// The local socket of this daemon, under its three names. They exist only while the agent is connected: others take their presence
/// for "qrexec is up".
/// </summary>
internal sealed class LocalServer : IAsyncDisposable
{
    private const int MaxClients = 512;

    private readonly DaemonContext _context;
    private readonly AgentSession _session;
    private readonly UnixListener _listener;
    private readonly string[] _links;
    private readonly CancellationTokenSource _stop;
    private readonly ConcurrentDictionary<Task, bool> _clients = [];
    private readonly Task _accepting;

    private LocalServer(DaemonContext context, AgentSession session, UnixListener listener, string[] links)
    {
        _context = context;
        _session = session;
        _listener = listener;
        _links = links;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(session.Ended);
        _accepting = AcceptAsync();
    }

    /// <summary>Starts to serve.</summary>
    /// <exception cref="IOException">Another daemon serves this qube.</exception>
    public static LocalServer Start(DaemonContext context, AgentSession session)
    {
        DaemonOptions options = context.Options;
        string name = "qrexec." + options.DomainId.ToString(CultureInfo.InvariantCulture);
        string[] links =
        [
            Path.Combine(options.SocketDirectory, "qrexec." + options.QubeName),
            Path.Combine(options.SocketDirectory, "qrexec.uuid:" + options.Uuid),
        ];

        // The directory decides who may come; who is in may use the socket.
        const UnixFileMode Everyone = (UnixFileMode)0b111_111_111;
        UnixListener listener = UnixListener.Bind(Path.Combine(options.SocketDirectory, name), Everyone);
        try
        {
            foreach (string link in links)
            {
                File.Delete(link);
                File.CreateSymbolicLink(link, name);
            }

            return new LocalServer(context, session, listener, links);
        }
        catch
        {
            Array.ForEach(links, File.Delete);
            listener.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Array.ForEach(_links, File.Delete);
        _listener.Dispose();
        await _stop.CancelAsync();
        await _accepting;
        await Task.WhenAll(_clients.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token);
                if (_clients.Count >= MaxClients)
                {
                    _context.Log.LogWarning("Local client turned away: there are {Count} already", MaxClients);
                    socket.Dispose();
                    continue;
                }

                Task task = new LocalClient(_context, _session, socket).ServeAsync(_stop.Token);
                _clients.TryAdd(task, true);
                _ = ForgetAsync(task);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e) when (!_stop.IsCancellationRequested)
            {
                _context.Log.LogWarning("Accepting a local client failed: {Reason}", e.Message);
            }
            catch (SocketException)
            {
                return;
            }
        }
    }

    private async Task ForgetAsync(Task task)
    {
        await task;
        _clients.TryRemove(task, out _);
    }
}
