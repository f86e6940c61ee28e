using Microsoft.Extensions.Logging;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Daemon.Guest;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// The daemon of one qube: finds its agent, serves it and the local clients until it is gone, and finds it again, until the
/// qube ends or the daemon is stopped.
/// </summary>
public sealed class QrexecDaemon(DaemonOptions options, ILogger log)
{
    /// <summary>The daemon was stopped as asked.</summary>
    public const int Stopped = 0;

    /// <summary>The guest is gone, broke the protocol, or the daemon can not serve.</summary>
    public const int Failed = 1;

    /// <summary>The agent did not connect in time.</summary>
    public const int AgentTimeout = 3;

    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(40);

    // An agent that comes and goes at once, over and over, is not followed faster than this.
    private readonly TokenBucket _reconnects = new(perSecond: 2, burst: 10, TimeProvider.System);
    private readonly GuestLog _guestLog = new(log, TimeProvider.System);
    private Action? _ready;

    /// <summary>Runs to the end and returns the exit status.</summary>
    /// <param name="ready">Called once, when the agent has connected and the local socket is there.</param>
    /// <param name="stop">Ends the daemon.</param>
    public async Task<int> RunAsync(Action ready, CancellationToken stop)
    {
        _ready = ready;
        using CancellationTokenSource startup = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (options.StartupTimeout is { } timeout)
        {
            startup.CancelAfter(timeout);
        }
        else
        {
            TellReady();
        }

        try
        {
            await using IGuestPort guest = await OpenGuestAsync(startup.Token);
            return await ServeGuestAsync(guest, startup, stop);
        }
        catch (OperationCanceledException)
        {
            if (stop.IsCancellationRequested)
            {
                return Stopped;
            }

            log.LogError("The qrexec agent of {Qube} did not connect in time", options.QubeName);
            return AgentTimeout;
        }
        catch (AgentProtocolException e)
        {
            _guestLog.Warning($"{options.QubeName}: {e.Message}: connection given up");
            return Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Net.Sockets.SocketException)
        {
            log.LogError("{Reason}", e.Message);
            return Failed;
        }
    }

    private async Task<IGuestPort> OpenGuestAsync(CancellationToken startup) => options.Transport == GuestTransport.Socket
        ? new SocketGuestPort(options.VchanSocketDirectory, options.DomainId)
        : await MuxGuestPort.ConnectAsync(options.Paths, options.QubeName, options.DomainId, log, _guestLog, startup);

    private async Task<int> ServeGuestAsync(IGuestPort guest, CancellationTokenSource startup, CancellationToken stop)
    {
        using CancellationTokenSource ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _ = EndWithGuestAsync(guest, ending);
        DaemonContext context = new(options, guest, log, _guestLog, ending.Token);
        CallRunner runner = new(context);
        try
        {
            while (true)
            {
                // Only the first agent is waited for with a limit: a guest that reboots may take its time.
                using CancellationTokenSource connecting = CancellationTokenSource.CreateLinkedTokenSource(startup.Token, ending.Token);
                if (await TryConnectAgentAsync(guest, connecting.Token) is not { } link)
                {
                    continue;
                }

                startup.CancelAfter(Timeout.InfiniteTimeSpan);
                await ServeAgentAsync(context, runner, link, ending.Token);
                log.LogInformation("The qrexec agent of {Qube} is gone", options.QubeName);
            }
        }
        catch (OperationCanceledException) when (guest.Gone.IsCompleted && !stop.IsCancellationRequested)
        {
            log.LogInformation("{Qube} is gone", options.QubeName);
            return Failed;
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAny(runner.DrainAsync(), Task.Delay(DrainPatience, CancellationToken.None));
        }
    }

    private async Task<ControlLink?> TryConnectAgentAsync(IGuestPort guest, CancellationToken cancellation)
    {
        await _reconnects.TakeAsync(cancellation);
        IVchan vchan = await guest.ConnectAsync(0, QrexecPorts.Control, cancellation);
        try
        {
            return await ControlLink.HandshakeAsync(vchan, cancellation);
        }
        catch (VchanClosedException)
        {
            await vchan.DisposeAsync();
            return null;
        }
        catch
        {
            await vchan.DisposeAsync();
            throw;
        }
    }

    private async Task ServeAgentAsync(DaemonContext context, CallRunner runner, ControlLink link, CancellationToken ending)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(ending);
        await using (link)
        {
            AgentSession session = new(link, new PendingCalls(), ended.Token);
            await using LocalServer local = LocalServer.Start(context, session);
            log.LogInformation("The qrexec agent of {Qube} is connected, protocol version {Version}", options.QubeName, link.Version);
            TellReady();
            try
            {
                await new AgentLoop(context, session, runner).RunAsync();
            }
            catch (VchanClosedException)
            {
                // It left in the middle of a message.
            }
            finally
            {
                session.Pending.Clear();
                await ended.CancelAsync();

                // Before the local clients are waited for: one of them may be in the middle of a message the agent does not take.
                await link.DisposeAsync();
            }
        }
    }

    private void TellReady() => Interlocked.Exchange(ref _ready, null)?.Invoke();

    private static async Task EndWithGuestAsync(IGuestPort guest, CancellationTokenSource ending)
    {
        await guest.Gone;
        try
        {
            await ending.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The daemon has ended already.
        }
    }
}
