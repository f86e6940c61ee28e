using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Client;
using Qubes.Qrexec.Services;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Daemon;

/// <summary>Takes each call of the qube from its request to its end: the policy's decision, then the refusal or the connection.</summary>
internal sealed class CallRunner(DaemonContext context)
{
    private readonly ConcurrentDictionary<Task, bool> _running = [];
    private readonly Dom0Call _dom0 = new(context);
    private readonly QubeCall _qube = new(context);

    /// <summary>Starts to handle a call; it never fails towards the caller of this method.</summary>
    public void Start(AgentSession session, TriggerService call, LinkedListNode<RequestId> pending)
    {
        Task task = RunAsync(session, call, pending);
        if (!task.IsCompleted)
        {
            _running.TryAdd(task, true);
            _ = ForgetAsync(task);
        }
    }

    /// <summary>Waits for what is still running: at the end of the daemon, disposables are killed here.</summary>
    public Task DrainAsync() => Task.WhenAll(_running.Keys);

    private async Task ForgetAsync(Task task)
    {
        await task;
        _running.TryRemove(task, out _);
    }

    private async Task RunAsync(AgentSession session, TriggerService call, LinkedListNode<RequestId> pending)
    {
        // Off the loop that reads the agent: a decision must not delay the next request.
        await Task.Yield();
        string what = $"{call.Service} from {context.Options.QubeName} to '{call.Target}'";
        try
        {
            switch (await context.Policy.DecideAsync(call, session.Ended))
            {
                case PolicyAllowed allowed when TargetName.IsDom0(allowed.TargetUuid ?? allowed.Target):
                    await _dom0.RunAsync(session, call, pending, allowed);
                    break;
                case PolicyAllowed allowed:
                    await _qube.RunAsync(session, call, pending, allowed);
                    break;
                default:
                    context.GuestLog.Information($"{what}: denied by policy");
                    break;
            }
        }
        catch (OperationCanceledException) when (session.Ended.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e) when (e is CallFailedException or DaemonConnectionException or ServiceException or VchanException or TimeoutException)
        {
            context.GuestLog.Warning($"{what}: {e.Message}");
        }
        catch (Exception e)
        {
            context.Log.LogError(e, "A call failed for a reason that should not exist");
        }

        await RefuseAsync(session, call, pending);
    }

    // Whatever became of the call, a caller that was not told anything yet is told this.
    private static async Task RefuseAsync(AgentSession session, TriggerService call, LinkedListNode<RequestId> pending)
    {
        if (!session.Pending.TrySettle(pending))
        {
            return;
        }

        try
        {
            await session.Link.SendAsync(QrexecMessageType.ServiceRefused, call.Id.Field, Timeout.InfiniteTimeSpan);
        }
        catch (VchanClosedException)
        {
            // Nobody is left to be told.
        }
    }
}
