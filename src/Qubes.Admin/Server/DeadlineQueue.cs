using Qubes.Linux;

namespace Qubes.Admin.Server;

/// <summary>
/// Connections that must make progress within one and the same time, oldest first, in a list through the connections
/// themselves. As the time is the same for all, the order of entering is the order of the deadlines: one timer serves all.
/// </summary>
internal sealed class DeadlineQueue
{
    private readonly TimeSpan _time;
    private readonly ReactorTimer _timer;
    private AdminConnection? _first;
    private AdminConnection? _last;

    public DeadlineQueue(Reactor reactor, TimeSpan time)
    {
        _time = time;
        _timer = reactor.CreateTimer(CloseOverdue);
    }

    public AdminConnection? First => _first;

    /// <summary>Gives the connection the full time from now on.</summary>
    public void Restart(AdminConnection connection)
    {
        Remove(connection);
        connection.Deadline = Environment.TickCount64 + (long)_time.TotalMilliseconds;
        connection.Previous = _last;
        if (_last is null)
        {
            _first = connection;
        }
        else
        {
            _last.Next = connection;
        }

        _last = connection;
        if (!_timer.IsSet)
        {
            _timer.Set(_time);
        }
    }

    public void Remove(AdminConnection connection)
    {
        if (connection.Deadline == 0)
        {
            return;
        }

        connection.Deadline = 0;
        if (connection.Previous is null)
        {
            _first = connection.Next;
        }
        else
        {
            connection.Previous.Next = connection.Next;
        }

        if (connection.Next is null)
        {
            _last = connection.Previous;
        }
        else
        {
            connection.Next.Previous = connection.Previous;
        }

        connection.Next = connection.Previous = null;
    }

    public void Dispose() => _timer.Remove();

    private void CloseOverdue()
    {
        long now = Environment.TickCount64;
        while (_first is { } oldest && oldest.Deadline <= now)
        {
            oldest.OnDeadline();
        }

        if (_first is { } next)
        {
            _timer.Set(TimeSpan.FromMilliseconds(next.Deadline - now));
        }
    }
}
