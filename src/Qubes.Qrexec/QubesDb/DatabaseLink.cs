using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.Daemon;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.QubesDb;

/// <summary>
/// The link to the other copy of the database, again and again as long as it is lost. What the peer sends is untrusted: a message
/// that does not belong here ends the link, and nothing else.
/// </summary>
internal abstract class DatabaseLink(DatabaseServer server, GuestLog log)
{
    // A peer that breaks its links over and over is not followed faster than this.
    private readonly TokenBucket _sessions = new(perSecond: 2, burst: 10, TimeProvider.System);

    protected DatabaseServer Server => server;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            IVchan vchan = await ConnectAsync(cancellationToken);
            await ServeAsync(vchan, cancellationToken);
            await _sessions.TakeAsync(cancellationToken);
        }
    }

    /// <summary>The next connection with the peer, waiting for it.</summary>
    protected abstract Task<IVchan> ConnectAsync(CancellationToken cancellationToken);

    /// <summary>A connection stands.</summary>
    protected abstract void Begin(SendQueue outgoing);

    /// <summary>Carries out a valid message. False: it is none that may come now.</summary>
    protected abstract bool Handle(QubesDbHeader header, byte[] value, SendQueue outgoing);

    /// <summary>What both sides take.</summary>
    protected bool HandleCommon(QubesDbHeader header, byte[] value, SendQueue outgoing)
    {
        string path = header.Path!;
        switch (header.Type)
        {
            case QubesDbMessageType.Write when QubesDbPath.IsEntry(path):
                bool isTaken = !value.AsSpan().Contains((byte)0) && server.ApplyWrite(path, value);
                outgoing.Add(QubesDbHeader.Message(isTaken ? QubesDbMessageType.Ok : QubesDbMessageType.Error, path));
                return true;
            case QubesDbMessageType.Remove when QubesDbPath.IsValid(path) && value.Length == 0:
                server.ApplyRemove(path);
                outgoing.Add(QubesDbHeader.Message(QubesDbMessageType.Ok, path));
                return true;
            case QubesDbMessageType.Ok or QubesDbMessageType.Error:
                return value.Length == 0;
            default:
                return false;
        }
    }

    private async Task ServeAsync(IVchan vchan, CancellationToken cancellationToken)
    {
        SendQueue outgoing = new(vchan);
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task sending = outgoing.RunAsync(ended.Token);
        await using (vchan)
        {
            try
            {
                Begin(outgoing);
                await ReceiveAsync(new MessageReader(vchan), outgoing, ended.Token);
            }
            catch (VchanException)
            {
                // The peer left in the middle of a message.
            }
            finally
            {
                server.EndLink(outgoing);
                await ended.CancelAsync();
                await sending;
            }
        }
    }

    private async Task ReceiveAsync(MessageReader reader, SendQueue outgoing, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task<QubesDbHeader?> reading = reader.ReadHeaderAsync(cancellationToken).AsTask();
            if (await Task.WhenAny(reading, outgoing.Overran) != reading)
            {
                log.Warning("QubesDB link: the peer does not take changes: link given up");
                return;
            }

            if (await reading is not { } header)
            {
                return;
            }

            if (!header.IsValid || !Handle(header, await reader.ReadValueAsync(header, cancellationToken), outgoing))
            {
                log.Warning($"QubesDB link: message {(byte)header.Type} that does not belong here: link given up");
                return;
            }

            await outgoing.BelowAsync(QubesDbLimits.Backlog).WaitAsync(cancellationToken);
            await server.WatchersReadyAsync(cancellationToken);
        }
    }
}
