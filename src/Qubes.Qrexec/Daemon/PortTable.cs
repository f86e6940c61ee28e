using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// The data ports 513..768 of one qube and who they are in use with.
/// </summary>
/// <remarks>
/// A port is taken from the daemon of the qube that runs the service. Two qubes calling each other at the same time use
/// ports of different parity, so their daemons never choose the same port for the pair:
/// peer 0 takes any port, a greater peer even ports (514, 516, ...), a smaller or equal one odd ports (513, 515, ...).
/// A port stays taken until the agent reports the end of the connection: neither a client that leaves nor an agent that
/// reconnects frees it, since the process on the other side may still listen there.
/// </remarks>
internal sealed class PortTable(uint ownDomain)
{
    private readonly Lock _gate = new();
    private readonly Slot[] _slots = new Slot[QrexecPorts.DataCount];

    /// <summary>Takes the lowest free port for a connection with <paramref name="peer"/>; null when none is free.</summary>
    /// <param name="peer">Domain id at the other end.</param>
    /// <param name="ended">Called once when the agent reports that the connection ended.</param>
    public uint? Allocate(uint peer, Action? ended)
    {
        int start = peer > ownDomain ? 1 : 0;
        int step = peer == 0 ? 1 : 2;
        lock (_gate)
        {
            for (int i = start; i < _slots.Length; i += step)
            {
                if (!_slots[i].Used)
                {
                    _slots[i] = new Slot(Used: true, peer, ended);
                    return QrexecPorts.FirstData + (uint)i;
                }
            }
        }

        return null;
    }

    /// <summary>Frees a port if it is taken for <paramref name="peer"/>, and tells whoever waits for its end.</summary>
    public void Release(uint peer, uint port)
    {
        Action? ended;
        lock (_gate)
        {
            Slot slot = _slots[port - QrexecPorts.FirstData];
            if (!slot.Used || slot.Peer != peer)
            {
                return;
            }

            _slots[port - QrexecPorts.FirstData] = default;
            ended = slot.Ended;
        }

        ended?.Invoke();
    }

    private readonly record struct Slot(bool Used, uint Peer, Action? Ended);
}
