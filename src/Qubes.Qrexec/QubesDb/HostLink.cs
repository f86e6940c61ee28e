using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.Daemon;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.QubesDb;

/// <summary>The host's side: serves the port, gives the guest the whole database once when it asks, then each change.</summary>
internal sealed class HostLink(DatabaseServer server, IVchanTransport transport, uint domain, GuestLog log) : DatabaseLink(server, log)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);

    private bool _wasAsked;

    protected override async Task<IVchan> ConnectAsync(CancellationToken cancellationToken)
    {
        TimeSpan pause = FirstPause;
        while (true)
        {
            try
            {
                await using IVchanListener listener = await transport.ListenAsync(domain, QubesDbPort.Number, cancellationToken);
                return await listener.AcceptAsync(cancellationToken);
            }
            catch (VchanException)
            {
                // The qube's qrexec daemon, through which we reach the guest, is not there yet, or is being replaced.
                await Task.Delay(pause, cancellationToken);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    protected override void Begin(SendQueue outgoing) => _wasAsked = false;

    protected override bool Handle(QubesDbHeader header, byte[] value, SendQueue outgoing)
    {
        if (header.Type != QubesDbMessageType.MultiRead)
        {
            return HandleCommon(header, value, outgoing);
        }

        // Once in a connection, and all of it: it costs us most of all requests.
        if (_wasAsked || header.Path!.Length > 0 || value.Length > 0)
        {
            return false;
        }

        _wasAsked = true;
        Server.StartLink(outgoing);
        return true;
    }
}
