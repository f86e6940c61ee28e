using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// One connection to the local socket: HELLOs, one request, then silence until either side closes. The request's port outlives
/// the client; the client does not outlive the port.
/// </summary>
internal sealed class LocalClient(DaemonContext context, AgentSession session, Socket socket)
{
    // Clients are programs of this host; one that connects and says nothing holds a place that others may need.
    private static readonly TimeSpan GreetingPatience = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource _portFreed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Serves the client to its end, then closes it. Does not throw.</summary>
    public async Task ServeAsync(CancellationToken stop)
    {
        using (socket)
        {
            try
            {
                if (await GreetAsync(stop) && await ReceiveRequestAsync(stop) is var (type, body) && await TryForwardAsync(type, body, stop))
                {
                    await WaitForEndAsync(stop);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or VchanException or TimeoutException or ObjectDisposedException)
            {
                if (!stop.IsCancellationRequested)
                {
                    context.Log.LogInformation("Local client closed: {Reason}", e.Message);
                }
            }
            catch (Exception e)
            {
                context.Log.LogError(e, "A local client failed for a reason that should not exist");
            }
        }
    }

    private async Task<bool> GreetAsync(CancellationToken stop)
    {
        await socket.SendAllAsync(QrexecHello.Message(QrexecVersion.Local), stop);
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(GreetingPatience);
        byte[] hello = new byte[QrexecHeader.Size + QrexecHello.BodySize];
        return await socket.TryReceiveExactlyAsync(hello, patience.Token)
            && QrexecHello.IsHello(QrexecHeader.Read(hello))
            && QrexecHello.ReadVersion(hello.AsSpan(QrexecHeader.Size)) >= QrexecVersion.Local;
    }

    private async Task<(QrexecMessageType Type, byte[] Body)?> ReceiveRequestAsync(CancellationToken stop)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(GreetingPatience);
        byte[] head = new byte[QrexecHeader.Size];
        if (!await socket.TryReceiveExactlyAsync(head, patience.Token))
        {
            return null;
        }

        QrexecHeader header = QrexecHeader.Read(head);
        bool isRequest = header.Type is QrexecMessageType.ExecCmdline or QrexecMessageType.JustExec or QrexecMessageType.ServiceConnect;
        if (!isRequest || !ExecRequest.IsLengthValid(header.Length))
        {
            return null;
        }

        byte[] body = new byte[header.Length];
        return await socket.TryReceiveExactlyAsync(body, patience.Token) ? (header.Type, body) : null;
    }

    private async Task<bool> TryForwardAsync(QrexecMessageType type, byte[] body, CancellationToken stop)
    {
        if (!ExecRequest.TryRead(body, out ExecRequest request))
        {
            return false;
        }

        ReadOnlyMemory<byte> rest = body.AsMemory(ExecParams.Size);
        if (type != QrexecMessageType.ServiceConnect)
        {
            byte[] command = [.. QrexecCommand.SubstituteDefaultUser(request.Command, context.Options.DefaultUser).Span, 0];
            rest = command;
        }

        if (ExecParams.Size + rest.Length > context.Guest.MaxControlBody)
        {
            context.Log.LogWarning("A command of {Length} bytes is too long for the agent of this qube", rest.Length);
            return false;
        }

        // Last, because it settles the call for good.
        if (type == QrexecMessageType.ServiceConnect
            && (RequestId.FromText(request.Command.Span) is not { } id || !session.Pending.TrySettle(id)))
        {
            context.Log.LogWarning("A call that was not requested, or is settled already, was not connected");
            return false;
        }

        if (PortFor(request.Params) is not { } port)
        {
            if (type == QrexecMessageType.ServiceConnect)
            {
                // The call is settled, so its caller must hear how.
                RequestId call = RequestId.FromText(request.Command.Span)!;
                await session.Link.SendAsync(QrexecMessageType.ServiceRefused, call.Field, AgentSession.SendPatience);
            }

            return false;
        }

        if (type == QrexecMessageType.ServiceConnect && request.Params.Domain != 0)
        {
            context.Guest.StartRelay(request.Params.Domain, port);
        }

        byte[] message = [.. new ExecParams(request.Params.Domain, port).ToBytes(), .. rest.Span];
        try
        {
            await session.Link.SendAsync(type, message, AgentSession.SendPatience);
        }
        catch (TimeoutException) when (request.Params.Port == 0)
        {
            // The agent never heard of the call, so it will never report its end.
            context.Ports.Release(request.Params.Domain, port);
            throw;
        }

        // After the agent: a qube that calls itself then hears of the command before it hears of the connection.
        if (request.Params.Port == 0)
        {
            await socket.SendAllAsync(QrexecHeader.Message(type, new ExecParams(context.Options.DomainId, port).ToBytes()), stop);
        }

        return true;
    }

    // Port 0 asks for one. A port that was chosen already is only checked.
    private uint? PortFor(ExecParams link)
    {
        if (link.Port != 0)
        {
            return QrexecPorts.IsData(link.Port) ? link.Port : null;
        }

        uint? port = context.Ports.Allocate(link.Domain, () => _portFreed.TrySetResult());
        if (port is null)
        {
            context.Log.LogWarning("No free data port for domain {Domain}", link.Domain);
        }

        return port;
    }

    private async Task WaitForEndAsync(CancellationToken stop)
    {
        using CancellationTokenSource reading = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task<int> more = socket.ReceiveAsync(new byte[1], reading.Token).AsTask();
        if (await Task.WhenAny(more, _portFreed.Task) == more)
        {
            if (await more > 0)
            {
                context.Log.LogWarning("A local client sent data after its request and was closed");
            }

            return;
        }

        await reading.CancelAsync();
        await more.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
