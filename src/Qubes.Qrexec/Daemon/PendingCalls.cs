using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// Calls the qube has asked for that are neither refused nor connected. An entry stays valid until exactly one of the two happens,
/// whoever does it: the decision of this daemon, or a client that connects an approved call.
/// </summary>
internal sealed class PendingCalls
{
    /// <summary>More undecided calls than this are refused without asking.</summary>
    public const int Limit = 256;

    private readonly Lock _gate = new();
    private readonly LinkedList<RequestId> _calls = [];

    /// <summary>Enters a call; null when there are too many.</summary>
    public LinkedListNode<RequestId>? TryAdd(RequestId id)
    {
        lock (_gate)
        {
            return _calls.Count >= Limit ? null : _calls.AddLast(id);
        }
    }

    /// <summary>Takes a call out; false when somebody has already settled it.</summary>
    public bool TrySettle(LinkedListNode<RequestId> call)
    {
        lock (_gate)
        {
            if (call.List is null)
            {
                return false;
            }

            _calls.Remove(call);
            return true;
        }
    }

    /// <summary>Takes the oldest call of this id out; false when there is none.</summary>
    public bool TrySettle(RequestId id)
    {
        lock (_gate)
        {
            return _calls.Remove(id);
        }
    }

    /// <summary>Forgets everything: the agent that asked is gone.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _calls.Clear();
        }
    }
}
