using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.IO;

namespace Qubes.Qrexec.Agent;

/// <summary>
/// The agent's local socket: passes requests of <c>qrexec-client-vm</c> to the daemon and the answers back. A client's connection stays open as long as its call; its end
/// is the end of the call.
/// </summary>
internal sealed class TriggerServer : IDisposable
{
    private const string IdPrefix = "SOCKET";
    private const int MaxClients = 512;
    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(30);

    private readonly UnixListener _listener;
    private readonly ILogger _logger;
    private readonly int _maxBody;
    private readonly ConcurrentDictionary<int, Client> _clients = new();
    private AgentLink? _link;
    private int _lastId;

    /// <param name="path">Of the socket; everybody may connect.</param>
    /// <param name="maxBody">Largest request the control link can carry.</param>
    /// <param name="logger">For what goes wrong.</param>
    public TriggerServer(string path, int maxBody, ILogger logger)
    {
        _maxBody = maxBody;
        _logger = logger;
        _listener = UnixListener.Bind(path, (UnixFileMode)0x1FF, groupId: null);
    }

    /// <summary>Requests go to <paramref name="link"/> from now on. Null: those without an answer are refused, like all that come.</summary>
    public void Use(AgentLink? link)
    {
        _link = link;
        if (link is null)
        {
            foreach (Client client in _clients.Values)
            {
                client.Answered.TrySetResult(null);
            }
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using SemaphoreSlim room = new(MaxClients);
        while (true)
        {
            await room.WaitAsync(cancellationToken);
            Socket socket = await _listener.AcceptAsync(cancellationToken);
            _ = Task.Run(
                async () =>
                {
                    try
                    {
                        using (socket)
                        {
                            await ServeAsync(socket, cancellationToken);
                        }
                    }
                    catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
                    {
                        // The client is gone, or we are about to be.
                    }
                    finally
                    {
                        if (!cancellationToken.IsCancellationRequested)
                        {
                            room.Release();
                        }
                    }
                },
                CancellationToken.None);
        }
    }

    /// <summary>The daemon's answer to a request: where to listen, or null for a refusal.</summary>
    public void Answer(RequestId id, ExecParams? target)
    {
        if (id.IsValid && id.Text.StartsWith(IdPrefix, StringComparison.Ordinal)
            && int.TryParse(id.Text.AsSpan(IdPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && _clients.TryGetValue(number, out Client? client) && client.Answered.TrySetResult(target))
        {
            return;
        }

        AgentLog.UnknownRequest(_logger, id.Text);
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        if (await ReadRequestAsync(socket, cancellationToken) is not { } body || _link is not { } link)
        {
            return;
        }

        int number = Interlocked.Increment(ref _lastId);
        Client client = new();
        _clients[number] = client;
        try
        {
            RequestId id = RequestId.FromText(IdPrefix + number.ToString(CultureInfo.InvariantCulture));
            id.Field.CopyTo(body.AsMemory(TriggerService.Version4RequestIdOffset));
            await link.SendAsync(QrexecMessageType.TriggerService4, body);
            if (_link != link)
            {
                return;
            }

            // A client has nothing more to say: bytes or an end mean that it has given up.
            Task gone = WaitForEndAsync(socket, cancellationToken);
            if (await Task.WhenAny(client.Answered.Task, gone) == gone || await client.Answered.Task is not { } target)
            {
                return;
            }

            await socket.SendAllAsync(target.ToBytes(), cancellationToken);
            await gone;
            await link.SendTerminatedAsync(target);
        }
        finally
        {
            _clients.TryRemove(number, out _);
        }
    }

    private async Task<byte[]?> ReadRequestAsync(Socket socket, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(RequestPatience);
        byte[] headerBytes = new byte[QrexecHeader.Size];
        if (!await socket.TryReceiveExactlyAsync(headerBytes, patience.Token))
        {
            return null;
        }

        QrexecHeader header = QrexecHeader.Read(headerBytes);
        if (header.Type != QrexecMessageType.TriggerService4 || !TriggerService.IsLengthValid(header.Type, header.Length) || header.Length > _maxBody)
        {
            return null;
        }

        byte[] body = new byte[header.Length];
        return await socket.TryReceiveExactlyAsync(body, patience.Token) ? body : null;
    }

    private static async Task WaitForEndAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            await socket.ReceiveAsync(new byte[1], cancellationToken);
        }
        catch (SocketException)
        {
            // An end as good as any.
        }
    }

    private sealed class Client
    {
        public TaskCompletionSource<ExecParams?> Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
