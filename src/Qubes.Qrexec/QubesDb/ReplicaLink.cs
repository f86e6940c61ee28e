using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.Daemon;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.QubesDb;

/// <summary>
/// The guest's side: asks for the whole database whenever it connects. What the guest itself has written before outlives the host's
/// copy: it is sent again.
/// </summary>
internal sealed class ReplicaLink(DatabaseServer server, IVchanTransport transport, uint host, GuestLog log) : DatabaseLink(server, log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isFilling;

    /// <summary>Completes when the database has been received for the first time.</summary>
    public Task Filled => _filled.Task;

    protected override async Task<IVchan> ConnectAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await transport.ConnectAsync(host, QubesDbPort.Number, cancellationToken);
            }
            catch (VchanException)
            {
                await Task.Delay(Pause, cancellationToken);
            }
        }
    }

    protected override void Begin(SendQueue outgoing)
    {
        _isFilling = true;
        outgoing.Add(QubesDbHeader.Message(QubesDbMessageType.MultiRead));
    }

    protected override bool Handle(QubesDbHeader header, byte[] value, SendQueue outgoing)
    {
        if (header.Type != QubesDbMessageType.MultiReadAnswer)
        {
            return HandleCommon(header, value, outgoing);
        }

        if (!_isFilling)
        {
            return false;
        }

        if (header.Path!.Length > 0)
        {
            return QubesDbPath.IsEntry(header.Path) && !value.AsSpan().Contains((byte)0) && Server.ApplyEntry(header.Path, value);
        }

        _isFilling = false;
        Server.StartReplica(outgoing);
        _filled.TrySetResult();
        return true;
    }
}
