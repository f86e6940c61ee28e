using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.QubesDb;

/// <summary>
/// Messages on their way to one peer. Adding never waits, so that a peer that does not read holds up nobody else; who adds looks at
/// <see cref="Bytes"/> or waits with <see cref="BelowAsync"/>. Thread-safe.
/// </summary>
internal sealed class SendQueue(IVchan vchan)
{
    private const int WriteSize = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _messages = [];
    private readonly TaskCompletionSource _overran = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(int Bytes, TaskCompletionSource Waiter)> _waiters = [];
    private TaskCompletionSource? _more;
    private bool _ended;
    private long _bytes;

    /// <summary>Not yet taken by the peer.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Completes when somebody has found the peer too far behind.</summary>
    public Task Overran => _overran.Task;

    /// <summary>The peer is too far behind: whoever runs the connection shall give it up.</summary>
    public void Overrun() => _overran.TrySetResult();

    public void Add(byte[] message)
    {
        lock (_gate)
        {
            if (_ended)
            {
                return;
            }

            _messages.Enqueue(message);
            _bytes += message.Length;
            _more?.TrySetResult();
            _more = null;
        }
    }

    /// <summary>Completes when fewer bytes than that wait, or nobody sends any more.</summary>
    public Task BelowAsync(int bytes)
    {
        lock (_gate)
        {
            if (_ended || _bytes < bytes)
            {
                return Task.CompletedTask;
            }

            TaskCompletionSource waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((bytes, waiter));
            return waiter.Task;
        }
    }

    /// <summary>Sends what is added until the peer is gone or the token is cancelled; then nobody waits for it any more.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[WriteSize];
        try
        {
            while (true)
            {
                int count = Take(buffer, out Task? more);
                if (more is not null)
                {
                    await more.WaitAsync(cancellationToken);
                    continue;
                }

                await vchan.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                Sent(count);
            }
        }
        catch (Exception e) when (e is VchanException or OperationCanceledException or ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            // The reading side sees the end, too, and deals with it.
        }
        finally
        {
            End();
        }
    }

    // As many whole messages as the buffer holds: a message is never larger than it. None there: a task that ends when there is.
    private int Take(byte[] buffer, out Task? more)
    {
        more = null;
        int count = 0;
        lock (_gate)
        {
            while (_messages.TryPeek(out byte[]? message) && message.Length <= buffer.Length - count)
            {
                message.CopyTo(buffer, count);
                count += message.Length;
                _messages.Dequeue();
            }

            if (count == 0)
            {
                _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
                more = _more.Task;
            }
        }

        return count;
    }

    private void Sent(int count)
    {
        lock (_gate)
        {
            _bytes -= count;
            Release();
        }
    }

    private void End()
    {
        lock (_gate)
        {
            _ended = true;
            _messages.Clear();
            _bytes = 0;
            Release();
        }
    }

    private void Release()
    {
        foreach ((int bytes, TaskCompletionSource waiter) in _waiters)
        {
            if (_ended || _bytes < bytes)
            {
                waiter.TrySetResult();
            }
        }

        _waiters.RemoveAll(waiter => waiter.Waiter.Task.IsCompleted);
    }
}
