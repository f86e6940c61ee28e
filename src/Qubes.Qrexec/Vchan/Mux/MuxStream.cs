using System.Diagnostics;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>
/// One stream of a link. Everything but the two public directions is called by <see cref="MuxLink"/> with its gate held; the public members take the gate.
/// Invariant: while the stream is in the link's table, the peer may still send frames for it.
/// </summary>
internal sealed class MuxStream : IVchan
{
    private readonly MuxLink _link;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ByteRing _received;
    private readonly ByteRing _toSend;

    // Bytes the peer may still send before it breaks the window; bytes read locally that it has not been told of.
    private int _receiveAllowance;
    private int _readSinceGrant;

    // Bytes we may still send.
    private int _sendAllowance;

    // Each direction has one user at a time, so one waiter.
    private TaskCompletionSource? _readWaiter;
    private TaskCompletionSource? _writeWaiter;
    private TaskCompletionSource? _openWaiter;

    private bool _disposed;
    private bool _writesCompleted;
    private bool _peerReadsNoMore;

    public MuxStream(MuxLink link, uint id, uint domain, uint port, bool openedHere, MuxOptions options, int sendAllowance)
    {
        _link = link;
        Id = id;
        Domain = domain;
        Port = port;
        _received = new(options.ReceiveWindow);
        _toSend = new(options.SendBuffer);
        _receiveAllowance = options.ReceiveWindow;
        _sendAllowance = sendAllowance;
        State = openedHere ? MuxStreamState.Opening : MuxStreamState.Parked;
        PendingOpen = openedHere;
    }

    public uint Id { get; }

    public uint Domain { get; }

    public uint Port { get; }

    public Task Closed => _closed.Task;

    public MuxStreamState State { get; private set; }

    /// <summary>The reason in a REFUSE; valid in state Refused.</summary>
    public uint RefusedReason { get; private set; }

    /// <summary>The peer has answered our OPEN.</summary>
    public bool WasAnswered { get; private set; }

    /// <summary>The peer has reset the stream.</summary>
    public bool WasReset { get; private set; }

    /// <summary>Whether the stream waits in the link's list of senders.</summary>
    public bool IsQueued { get; set; }

    public bool PendingOpen { get; private set; }

    public bool PendingAccept { get; private set; }

    public bool PendingReset { get; private set; }

    public int PendingGrant { get; private set; }

    /// <summary>We have told the peer that nothing more comes (CLOSE or RESET).</summary>
    public bool SentEnd { get; private set; }

    /// <summary>The peer has told that nothing more comes.</summary>
    public bool ReceivedEnd { get; private set; }

    /// <summary>Neither end will send anything but stray credit: the link may forget the stream.</summary>
    public bool IsFinished => SentEnd && ReceivedEnd;

    public int Sendable => State == MuxStreamState.Open ? Math.Min(_toSend.Count, _sendAllowance) : 0;

    public bool PendingClose => State == MuxStreamState.Open && _writesCompleted && !SentEnd && _toSend.Count == 0;

    public bool HasWork => PendingOpen || PendingAccept || PendingReset || PendingGrant > 0 || Sendable > 0 || PendingClose;

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            TaskCompletionSource waiter;
            lock (_link.Gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (_received.Count > 0 || buffer.IsEmpty)
                {
                    int n = _received.Read(buffer.Span);
                    Grant(n);
                    return n;
                }

                if (ReceivedEnd || State == MuxStreamState.Dead)
                {
                    return 0;
                }

                waiter = _readWaiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await waiter.Task.WaitAsync(cancellationToken);
        }
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        while (!data.IsEmpty)
        {
            TaskCompletionSource waiter;
            lock (_link.Gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (State == MuxStreamState.Dead || _peerReadsNoMore)
                {
                    throw new VchanClosedException();
                }

                if (_writesCompleted)
                {
                    throw new InvalidOperationException("written after CompleteWrites");
                }

                int n = _toSend.Write(data.Span);
                data = data[n..];
                if (n > 0)
                {
                    _link.Schedule(this);
                }

                if (data.IsEmpty)
                {
                    return;
                }

                waiter = _writeWaiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await waiter.Task.WaitAsync(cancellationToken);
        }
    }

    public ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        lock (_link.Gate)
        {
            _writesCompleted = true;
            _link.Schedule(this);
        }

        return default;
    }

    public ValueTask DisposeAsync()
    {
        lock (_link.Gate)
        {
            if (!_disposed)
            {
                _disposed = true;
                _writesCompleted = true;
                _received.Clear();
                if (State is MuxStreamState.Opening or MuxStreamState.Parked)
                {
                    Abort();
                }

                _link.Schedule(this);
                _closed.TrySetResult();
                Wake();
            }
        }

        return default;
    }

    /// <summary>Completes when the peer has accepted or refused the stream or the link was lost.</summary>
    public Task OpenedAsync()
    {
        lock (_link.Gate)
        {
            if (State != MuxStreamState.Opening)
            {
                return Task.CompletedTask;
            }

            _openWaiter ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _openWaiter.Task;
        }
    }

    /// <summary>Takes a parked stream; the peer is told.</summary>
    public void Accept()
    {
        Debug.Assert(State == MuxStreamState.Parked);
        State = MuxStreamState.Open;
        PendingAccept = true;
        _link.Schedule(this);
    }

    /// <summary>Ends both directions at once; RESET is sent unless the peer knows of the end already.</summary>
    public void Abort()
    {
        if (PendingOpen)
        {
            // The peer never heard of the stream.
            PendingOpen = false;
            SentEnd = true;
            ReceivedEnd = true;
        }

        PendingReset = !SentEnd;
        Die();
    }

    /// <summary>The session is over: nothing can be sent any more.</summary>
    public void LinkLost()
    {
        SentEnd = true;
        ReceivedEnd = true;
        Die();
    }

    public void OnAccepted()
    {
        WasAnswered = true;

        // After a local cancel the RESET is under way; the peer will answer that.
        if (State == MuxStreamState.Opening)
        {
            State = MuxStreamState.Open;
            Wake();
            _link.Schedule(this);
        }
    }

    public void OnRefused(uint reason)
    {
        WasAnswered = true;
        RefusedReason = reason;
        SentEnd = true;
        ReceivedEnd = true;
        bool wasOpening = State == MuxStreamState.Opening;
        Die();
        if (wasOpening)
        {
            State = MuxStreamState.Refused;
        }
    }

    /// <summary>False when the peer has overrun its window or sends after its end.</summary>
    public bool OnData(ReadOnlySpan<byte> data)
    {
        if (ReceivedEnd || data.Length > _receiveAllowance || State is MuxStreamState.Opening or MuxStreamState.Parked)
        {
            return false;
        }

        _receiveAllowance -= data.Length;
        if (!_disposed && State == MuxStreamState.Open)
        {
            int n = _received.Write(data);
            Debug.Assert(n == data.Length, "the window is the ring's capacity");
            Wake(ref _readWaiter);
        }

        return true;
    }

    /// <summary>False when the sum of grants is out of all bounds.</summary>
    public bool OnCredit(uint bytes)
    {
        if (bytes > (uint)(int.MaxValue - _sendAllowance))
        {
            return false;
        }

        _sendAllowance += (int)bytes;
        _link.Schedule(this);
        return true;
    }

    public void OnClose(bool full)
    {
        ReceivedEnd = true;
        Wake(ref _readWaiter);
        if (full)
        {
            _peerReadsNoMore = true;
            _writesCompleted = true;
            _toSend.Clear();
            _closed.TrySetResult();
            Wake(ref _writeWaiter);
        }

        _link.Schedule(this);
    }

    public void OnReset()
    {
        WasReset = true;
        ReceivedEnd = true;
        Abort();
        _link.Schedule(this);
    }

    /// <summary>Moves the next bytes to send into <paramref name="destination"/>.</summary>
    public int TakeData(Span<byte> destination)
    {
        int n = _toSend.Read(destination[..Math.Min(destination.Length, Sendable)]);
        _sendAllowance -= n;
        Wake(ref _writeWaiter);
        return n;
    }

    public void OpenTaken() => PendingOpen = false;

    public void AcceptTaken() => PendingAccept = false;

    public int TakeGrant()
    {
        int grant = PendingGrant;
        PendingGrant = 0;
        _receiveAllowance += grant;
        return grant;
    }

    /// <summary>The end of our direction is being sent; returns whether it is the end of reading, too.</summary>
    public bool TakeEnd()
    {
        PendingReset = false;
        SentEnd = true;
        return _disposed;
    }

    // Grants are told in halves of the window: a frame for every read would cost more than it brings.
    private void Grant(int n)
    {
        _readSinceGrant += n;
        if (!ReceivedEnd && State == MuxStreamState.Open && _readSinceGrant >= (_receiveAllowance + _readSinceGrant + _received.Count + PendingGrant) / 2)
        {
            PendingGrant += _readSinceGrant;
            _readSinceGrant = 0;
            _link.Schedule(this);
        }
    }

    private void Die()
    {
        State = MuxStreamState.Dead;
        PendingAccept = false;
        PendingGrant = 0;
        _received.Clear();
        _toSend.Clear();
        _closed.TrySetResult();
        Wake();
    }

    private void Wake()
    {
        Wake(ref _readWaiter);
        Wake(ref _writeWaiter);
        Wake(ref _openWaiter);
    }

    private static void Wake(ref TaskCompletionSource? waiter)
    {
        waiter?.TrySetResult();
        waiter = null;
    }
}
