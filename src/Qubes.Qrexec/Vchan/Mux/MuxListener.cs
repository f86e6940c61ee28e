namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>A listened-on port of a link. State is guarded by the link's gate.</summary>
internal sealed class MuxListener(MuxLink link, uint domain, uint port) : IVchanListener
{
    private TaskCompletionSource? _waiter;
    private bool _closed;

    public uint Domain { get; } = domain;

    public uint Port { get; } = port;

    public async ValueTask<IVchan> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            TaskCompletionSource waiter;
            lock (link.Gate)
            {
                ObjectDisposedException.ThrowIf(_closed, this);
                if (link.TakeParked(Domain, Port) is { } stream)
                {
                    return stream;
                }

                waiter = _waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await waiter.Task.WaitAsync(cancellationToken);
        }
    }

    public ValueTask DisposeAsync()
    {
        lock (link.Gate)
        {
            Close();
        }

        return default;
    }

    /// <summary>A stream for this port was opened. With the gate held.</summary>
    public void Wake()
    {
        _waiter?.TrySetResult();
        _waiter = null;
    }

    /// <summary>With the gate held.</summary>
    public void Close()
    {
        if (!_closed)
        {
            _closed = true;
            link.Forget(this);
            Wake();
        }
    }
}
