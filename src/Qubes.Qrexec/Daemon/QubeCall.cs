using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Client;

namespace Qubes.Qrexec.Daemon;

/// <summary>Carries out an allowed call to another qube: through that qube's daemon, which starts the service and picks the port.</summary>
internal sealed class QubeCall(DaemonContext context)
{
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(30);

    /// <summary>Returns when the caller is told where its data link is; with a disposable target, when that is killed.</summary>
    /// <exception cref="CallFailedException">The target can not be had.</exception>
    /// <exception cref="DaemonConnectionException">The target's daemon can not be used.</exception>
    public async Task RunAsync(AgentSession session, TriggerService call, LinkedListNode<RequestId> pending, PolicyAllowed decision)
    {
        string target = decision.TargetUuid ?? decision.Target;
        if (!target.StartsWith(TargetName.DisposablePrefix, StringComparison.Ordinal))
        {
            using DaemonConnection connection = await ConnectAsync(session, call, pending, decision, target);
            return;
        }

        string template = target[TargetName.DisposablePrefix.Length..];
        if (!decision.Autostart || !TargetName.IsProper(template))
        {
            throw new CallFailedException("a disposable target must be a template from which one may be started");
        }

        string disposable = await context.Qubesd.CreateDisposableAsync(template, session.Ended);
        try
        {
            await context.Qubesd.StartAsync(disposable, session.Ended);
            using DaemonConnection connection = await ConnectAsync(session, call, pending, decision, disposable);
            await connection.WaitClosedAsync(context.Stopping);
        }
        finally
        {
            // Also when we are being stopped: nobody else knows that this qube has no purpose any more.
            using CancellationTokenSource patience = new(KillPatience);
            if (!await context.Qubesd.TryKillAsync(disposable, patience.Token))
            {
                context.GuestLog.Warning($"the disposable {disposable} could not be killed");
            }
        }
    }

    private async Task<DaemonConnection> ConnectAsync(
        AgentSession session, TriggerService call, LinkedListNode<RequestId> pending, PolicyAllowed decision, string target)
    {
        byte[] command = CallCommand.ForQube(decision, call, context.Options.QubeName);
        DaemonConnection connection = await ConnectToDaemonAsync(target, decision.Autostart, session.Ended);
        try
        {
            ExecParams link = await connection.RequestAsync(
                QrexecMessageType.ExecCmdline, context.Options.DomainId, command, session.Ended);
            if (!session.Pending.TrySettle(pending))
            {
                throw new CallFailedException("the call was connected by somebody else");
            }

            context.Guest.StartRelay(link.Domain, link.Port);
            await session.Link.SendAsync(QrexecMessageType.ServiceConnect, ServiceConnect.Body(link, call.Id), AgentSession.SendPatience);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private async Task<DaemonConnection> ConnectToDaemonAsync(string target, bool autostart, CancellationToken cancellation)
    {
        if (!TargetName.IsProper(target))
        {
            throw new CallFailedException("the policy names a target that can not be one");
        }

        string socket = Path.Combine(context.Options.SocketDirectory, "qrexec." + target);
        try
        {
            return await DaemonConnection.ConnectAsync(socket, cancellation);
        }
        catch (DaemonConnectionException e) when (e.IsAbsent && autostart)
        {
            await context.Qubesd.StartAsync(target, cancellation);
            return await DaemonConnection.ConnectAsync(socket, cancellation);
        }
    }
}
