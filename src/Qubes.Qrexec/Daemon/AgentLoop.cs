using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Daemon;

/// <summary>Reads what an agent says and acts on it. A flood slows the guest that causes it: its link is read no faster than allowed.</summary>
internal sealed class AgentLoop(DaemonContext context, AgentSession session, CallRunner runner)
{
    // A call is two messages of its agent. Several times what a busy guest needs, and far from what would keep a core busy.
    private const double MessagesPerSecond = 2000;
    private const double Burst = 2000;

    private readonly TokenBucket _rate = new(MessagesPerSecond, Burst, TimeProvider.System);

    /// <summary>Returns when the agent is gone.</summary>
    /// <exception cref="AgentProtocolException">It broke the protocol.</exception>
    public async Task RunAsync()
    {
        while (true)
        {
            await _rate.TakeAsync(session.Ended);
            if (await session.Link.ReadAsync(session.Ended) is not { } message)
            {
                return;
            }

            if (message.Type == QrexecMessageType.ConnectionTerminated)
            {
                OnConnectionTerminated(ExecParams.Read(message.Body.Span));
            }
            else
            {
                await OnTriggerAsync(message.Type, message.Body);
            }
        }
    }

    private void OnConnectionTerminated(ExecParams ended)
    {
        if (!QrexecPorts.IsData(ended.Port))
        {
            throw new AgentProtocolException($"end of a connection on port {ended.Port}, which is no data port");
        }

        context.Ports.Release(ended.Domain, ended.Port);
    }

    private async Task OnTriggerAsync(QrexecMessageType type, ReadOnlyMemory<byte> body)
    {
        TriggerService? call = TriggerService.Read(type, body.Span, out RequestId id);
        LinkedListNode<RequestId>? pending = call is null ? null : session.Pending.TryAdd(id);
        if (call is null || pending is null)
        {
            context.GuestLog.Warning(call is null ? "malformed service request refused" : "service request refused: too many are undecided");

            // Waits as long as the agent does not read: it gets no further requests in meanwhile.
            await session.Link.SendAsync(QrexecMessageType.ServiceRefused, id.Field, Timeout.InfiniteTimeSpan);
            return;
        }

        runner.Start(session, call, pending);
    }
}
