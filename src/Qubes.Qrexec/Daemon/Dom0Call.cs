using Microsoft.Extensions.Logging;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Services;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Daemon;

/// <summary>Carries out an allowed call to dom0: this daemon itself is the service side. Calls of the Admin API start no process.</summary>
internal sealed class Dom0Call(DaemonContext context)
{
    // The caller listens as soon as it is told the port.
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    private readonly SessionWaiter _sessions = new(context.Services);

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
        (RunningService? running, int failure) = await PrepareAsync(service, session.Ended);
        using (running)
        {
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(session.Ended);
            patience.CancelAfter(ConnectPatience);
            IVchan vchan;
            try
            {
                vchan = await context.Guest.ConnectAsync(0, port, patience.Token);
            }
            catch (OperationCanceledException) when (!session.Ended.IsCancellationRequested)
            {
                context.GuestLog.Warning($"{service.ServiceName}: the caller does not listen on port {port}");
                return;
            }

            await using (vchan)
            {
            }
        }
    }

    private async Task<(RunningService? Running, int Failure)> PrepareAsync(QrexecServiceCall service, CancellationToken cancellation)
    {
        try
        {
            ServiceConfiguration configuration = context.Services.LoadConfiguration(
                service, warning => context.Log.LogWarning("{Warning}", warning));
            if (configuration.WaitForSession)
            {
                await _sessions.WaitAsync(Environment.UserName, service.Source, StandardError.Handle, cancellation);
            }

            QrexecService found = context.Services.FindService(service);
            return (await ServiceLauncher.StartAsync(found, service, configuration, StandardError.Handle, cancellation), 0);
        }
        catch (ServiceException e)
        {
            context.GuestLog.Warning(e.Message);
            return (null, e.ExitCode);
        }
    }
}
