using System.Buffers.Binary;
using System.Threading.Channels;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>The half of a link that writes its carrier.</summary>
public sealed partial class MuxLink
{
    // Room for the padding and a HELLO at once, and for a few full frames per write.
    private const int BatchSize = 5 * MuxFrame.MaxSize;

    // The most that control frames of one stream take.
    private const int StreamControlSize = 128;

    // A token in here: there may be something to send. At most one, so waking costs nothing when the sender is awake.
    private readonly Channel<bool> _sendSignal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    // Streams with something to send, served in turn: one data frame each.
    private readonly Queue<MuxStream> _senders = new();
    private readonly Queue<(uint Id, MuxRefusal Reason)> _refusals = new();
    private readonly byte[] _batch = new byte[BatchSize];
    private bool _helloPending;
    private bool _paddingPending;
    private TimeSpan _helloDelay;
    private ulong? _ping;
    private ulong? _pong;
    private TaskCompletionSource? _pongWaiter;
    private ulong _awaitedPong;

    /// <summary>Asks the peer for a sign of life; completes with its answer. One at a time.</summary>
    public async Task PingAsync(CancellationToken cancellationToken = default)
    {
        TaskCompletionSource waiter;
        lock (Gate)
        {
            if (!_isEstablished)
            {
                throw new VchanClosedException();
            }

            if (_pongWaiter is not null)
            {
                throw new InvalidOperationException("a ping is under way");
            }

            waiter = _pongWaiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaitedPong = NewNonce();
            _ping = _awaitedPong;
            WakeSender();
        }

        try
        {
            await waiter.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            lock (Gate)
            {
                _pongWaiter = _pongWaiter == waiter ? null : _pongWaiter;
            }
        }
    }

    /// <summary>Puts a stream into the senders' queue if it has anything to send. With the gate held.</summary>
    internal void Schedule(MuxStream stream)
    {
        if (!stream.IsQueued && stream.HasWork && _streams.ContainsKey(stream.Id))
        {
            stream.IsQueued = true;
            _senders.Enqueue(stream);
            WakeSender();
        }
    }

    private void WakeSender() => _sendSignal.Writer.TryWrite(true);

    private void OnPong(ulong payload)
    {
        if (payload == _awaitedPong)
        {
            _pongWaiter?.TrySetResult();
        }
    }

    private void SendHello(bool withPadding)
    {
        _helloPending = true;
        _paddingPending |= withPadding;
        WakeSender();
    }

    // Bounded: a peer that opens streams faster than it reads our refusals breaks the rules.
    private bool Refuse(uint id, MuxRefusal reason)
    {
        if (_refusals.Count >= _options.MaxStreams)
        {
            return false;
        }

        _refusals.Enqueue((id, reason));
        WakeSender();
        return true;
    }

    private void ClearSendState()
    {
        foreach (MuxStream stream in _senders)
        {
            stream.IsQueued = false;
        }

        _senders.Clear();
        _refusals.Clear();
        _ping = null;
        _pong = null;
        _pongWaiter?.TrySetException(new VchanClosedException());
        _pongWaiter = null;
    }

    private async Task SendLoopAsync(Stream carrier, CancellationToken cancellationToken)
    {
        TimeSpan pause = _options.HelloFirstPause;
        while (true)
        {
            int n;
            bool established;
            TimeSpan delay;
            lock (Gate)
            {
                delay = _helloDelay;
                _helloDelay = TimeSpan.Zero;
            }

            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, cancellationToken);
            }

            lock (Gate)
            {
                n = FillBatch();
                established = _isEstablished;
            }

            if (n > 0)
            {
                await carrier.WriteAsync(_batch.AsMemory(0, n), cancellationToken);
                continue;
            }

            if (established)
            {
                pause = _options.HelloFirstPause;
                await _sendSignal.Reader.ReadAsync(cancellationToken);
                continue;
            }

            // The carrier may have dropped our HELLO (nobody had the device open): repeat it until it is answered.
            if (!await WaitForWorkAsync(pause, cancellationToken))
            {
                pause = pause * 2 < _options.HelloLongestPause ? pause * 2 : _options.HelloLongestPause;
                lock (Gate)
                {
                    _helloPending |= !_isEstablished;
                }
            }
        }
    }

    private async Task<bool> WaitForWorkAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using CancellationTokenSource timed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timed.CancelAfter(limit);
        try
        {
            await _sendSignal.Reader.ReadAsync(timed.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    // With the gate held: everything that can go now, as far as one batch holds it.
    private int FillBatch()
    {
        Span<byte> batch = _batch;
        int n = 0;
        if (_paddingPending)
        {
            // Completes whatever frame of an earlier life the peer still waits for; its trailer can not be right, so it is dropped.
            _paddingPending = false;
            batch[..MuxFrame.MaxSize].Clear();
            n = MuxFrame.MaxSize;
        }

        if (_helloPending)
        {
            _helloPending = false;
            new MuxHello(MuxHello.CurrentVersion, (uint)_options.ReceiveWindow, _nonce, _peerNonce).Write(batch[n..]);
            n += MuxHello.Size;
        }

        if (!_isEstablished)
        {
            return n;
        }

        n += TakeLinkFrames(batch[n..]);
        while (batch.Length - n >= MuxFrame.MaxSize + StreamControlSize && _senders.TryDequeue(out MuxStream? stream))
        {
            stream.IsQueued = false;
            n += TakeFrames(stream, batch[n..]);
            ForgetIfFinished(stream);
            Schedule(stream);
        }

        return n;
    }

    private int TakeLinkFrames(Span<byte> batch)
    {
        Span<byte> payload = stackalloc byte[8];
        int n = 0;
        if (_pong is { } pong)
        {
            _pong = null;
            BinaryPrimitives.WriteUInt64LittleEndian(payload, pong);
            n += MuxFrame.Write(batch[n..], _tag, MuxFrameType.Pong, 0, 0, payload);
        }

        if (_ping is { } ping)
        {
            _ping = null;
            BinaryPrimitives.WriteUInt64LittleEndian(payload, ping);
            n += MuxFrame.Write(batch[n..], _tag, MuxFrameType.Ping, 0, 0, payload);
        }

        while (batch.Length - n >= MuxFrame.MaxSize && _refusals.TryDequeue(out (uint Id, MuxRefusal Reason) refusal))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)refusal.Reason);
            n += MuxFrame.Write(batch[n..], _tag, MuxFrameType.Refuse, 0, refusal.Id, payload[..4]);
        }

        return n;
    }

    private int TakeFrames(MuxStream stream, Span<byte> batch)
    {
        Span<byte> payload = stackalloc byte[8];
        int n = 0;
        if (stream.PendingOpen)
        {
            stream.OpenTaken();
            BinaryPrimitives.WriteUInt32LittleEndian(payload, stream.Domain);
            BinaryPrimitives.WriteUInt32LittleEndian(payload[4..], stream.Port);
            n += MuxFrame.Write(batch[n..], _tag, MuxFrameType.Open, 0, stream.Id, payload);
        }

        if (stream.PendingAccept)
        {
            stream.AcceptTaken();
            n += MuxFrame.Write(batch[n..], _tag, MuxFrameType.Accept, 0, stream.Id, []);
        }

        if (stream.PendingReset)
        {
            stream.TakeEnd();
            return n + MuxFrame.Write(batch[n..], _tag, MuxFrameType.Reset, 0, stream.Id, []);
        }

        if (stream.PendingGrant > 0)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(payload, (uint)stream.TakeGrant());
            n += MuxFrame.Write(batch[n..], _tag, MuxFrameType.Credit, 0, stream.Id, payload[..4]);
        }

        if (stream.Sendable > 0)
        {
            int length = stream.TakeData(batch.Slice(n + MuxFrame.HeaderSize, MuxFrame.MaxPayload));
            n += MuxFrame.WriteAround(batch[n..], _tag, MuxFrameType.Data, 0, stream.Id, length);
        }

        if (stream.PendingClose)
        {
            byte flags = stream.TakeEnd() ? MuxFrame.FullClose : (byte)0;
            n += MuxFrame.Write(batch[n..], _tag, MuxFrameType.Close, flags, stream.Id, []);
        }

        return n;
    }
}
