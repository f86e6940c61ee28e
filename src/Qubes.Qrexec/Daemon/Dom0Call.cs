using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Daemon;

/// <summary>Carries out an allowed call to dom0: this daemon itself is the service side. Calls of the Admin API start no process.</summary>
internal sealed class Dom0Call(DaemonContext context)
{
    // The caller listens as soon as it is told the port.
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    /// <summary>Returns when the call has ended.</summary>
    /// <exception cref="CallFailedException">The call can not be connected; the caller was not told anything yet.</exception>
    public async Task RunAsync(AgentSession session, TriggerService call, LinkedListNode<RequestId> pending, PolicyAllowed decision)
    {
        QrexecServiceCall service = CallCommand.ForDom0(decision, call, context.Options.QubeName);
        uint port = context.Ports.Allocate(0, ended: null) ?? throw new CallFailedException("no free data port");
        if (!session.Pending.TrySettle(pending))
        {
            context.Ports.Release(0, port);
            return;
        }

        await session.Link.SendAsync(
            QrexecMessageType.ServiceConnect, ServiceConnect.Body(new ExecParams(0, port), call.Id), AgentSession.SendPatience);
        using HostService host = await HostService.StartAsync(context.Services, service, context.GuestLog.Warning, session.Ended);
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(session.Ended);
        patience.CancelAfter(ConnectPatience);
        try
        {
            IVchan vchan = await context.Guest.ConnectAsync(0, port, patience.Token);
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            await host.CarryAsync(vchan, session.Ended);
        }
        catch (OperationCanceledException e) when (!session.Ended.IsCancellationRequested)
        {
            throw new CallFailedException($"the caller does not listen on port {port}", e);
        }
        catch (QrexecProtocolException e)
        {
            throw new CallFailedException($"the caller broke the protocol: {e.Message}", e);
        }
    }
}
