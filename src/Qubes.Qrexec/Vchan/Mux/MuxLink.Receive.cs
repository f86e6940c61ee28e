using System.Buffers.Binary;
using System.Diagnostics;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>The half of a link that reads its carrier.</summary>
public sealed partial class MuxLink
{
    private static readonly TimeSpan SteadySession = TimeSpan.FromSeconds(10);

    private readonly MuxParser _parser = new();

    private async Task ReceiveLoopAsync(Stream carrier, CancellationToken cancellationToken)
    {
        while (true)
        {
            int n = await carrier.ReadAsync(_parser.GetSpace(), cancellationToken);
            if (n == 0)
            {
                return;
            }

            _parser.Received(n);
            lock (Gate)
            {
                ProcessReceived();
            }
        }
    }

    private void ProcessReceived()
    {
        while (true)
        {
            switch (_parser.Next())
            {
                case MuxParser.Item.None:
                    return;
                case MuxParser.Item.Hello:
                    OnHello(_parser.Hello);
                    break;
                case MuxParser.Item.Frame:
                    if (!OnFrame(_parser.Frame, _parser.Payload.Span))
                    {
                        FailSession($"peer broke the rules: {_parser.Frame.Type} on stream {_parser.Frame.Stream}, {_parser.Frame.Length} bytes");
                    }

                    break;
                case MuxParser.Item.Garbage:
                    FailSession("bytes that are no frame of this session");
                    break;
                default:
                    throw new InvalidOperationException();
            }
        }
    }

    // The peer may be in the middle of a frame from an earlier life of ours, or we of one of its: start over with padding.
    private void FailSession(string reason)
    {
        MuxLog.SessionFailed(_logger, reason);

        // A peer that breaks one session after the other gets each new one later, so it costs neither time nor log.
        bool wasSteady = _isEstablished && Stopwatch.GetElapsedTime(_sessionBegan) > SteadySession;
        _failures = wasSteady ? 0 : _failures + 1;
        _helloDelay = _failures <= 1 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(10 << Math.Min(_failures, 7));
        EndSession();
        _parser.Scan();
        SendHello(withPadding: true);
    }

    // A nonce is used for one session only, so an echo of it proves that the peer has read our latest HELLO; everything after that HELLO is of the new session.
    private void OnHello(MuxHello hello)
    {
        if (hello.Nonce == _nonce)
        {
            // Our own words come back: a carrier looped onto itself, or a peer that mirrors.
            return;
        }

        if (_isEstablished)
        {
            if (hello.Nonce == _peerNonce && hello.Echo == _nonce)
            {
                return;
            }

            MuxLog.PeerRestarted(_logger);
            EndSession();
            _parser.Scan();
        }

        bool isAnswer = hello.Echo == _nonce;
        if (!isAnswer || hello.Nonce != _peerNonce)
        {
            _peerNonce = hello.Nonce;
            SendHello(withPadding: false);
        }

        if (isAnswer)
        {
            BeginSession(hello);
        }
    }

    // False: the peer does what the protocol forbids.
    private bool OnFrame(MuxFrame frame, ReadOnlySpan<byte> payload)
    {
        switch (frame.Type)
        {
            case MuxFrameType.Ping:
                _pong = BinaryPrimitives.ReadUInt64LittleEndian(payload);
                WakeSender();
                return true;
            case MuxFrameType.Pong:
                OnPong(BinaryPrimitives.ReadUInt64LittleEndian(payload));
                return true;
            case MuxFrameType.Open:
                return OnOpen(frame.Stream, BinaryPrimitives.ReadUInt32LittleEndian(payload), BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]));
            default:
                break;
        }

        if (!_streams.TryGetValue(frame.Stream, out MuxStream? stream))
        {
            // These may cross with the end of the stream; the others can not.
            return frame.Type is MuxFrameType.Credit or MuxFrameType.Reset;
        }

        bool allowed = true;
        switch (frame.Type)
        {
            case MuxFrameType.Accept:
                allowed = IsOwn(stream.Id) && !stream.PendingOpen && !stream.WasAnswered;
                stream.OnAccepted();
                break;
            case MuxFrameType.Refuse:
                allowed = IsOwn(stream.Id) && !stream.PendingOpen && !stream.WasAnswered;
                stream.OnRefused(BinaryPrimitives.ReadUInt32LittleEndian(payload));
                break;
            case MuxFrameType.Data:
                allowed = stream.OnData(payload);
                break;
            case MuxFrameType.Credit:
                allowed = stream.OnCredit(BinaryPrimitives.ReadUInt32LittleEndian(payload));
                break;
            case MuxFrameType.Close:
                allowed = !stream.ReceivedEnd && stream.State is not (MuxStreamState.Opening or MuxStreamState.Parked);
                stream.OnClose(full: frame.Flags == MuxFrame.FullClose);
                break;
            case MuxFrameType.Reset:
                Unpark(stream);
                stream.OnReset();
                break;
            default:
                return false;
        }

        ForgetIfFinished(stream);
        return allowed;
    }

    private bool OnOpen(uint id, uint domain, uint port)
    {
        if (IsOwn(id) || _streams.ContainsKey(id))
        {
            return false;
        }

        if (_streams.Count >= _options.MaxStreams)
        {
            return Refuse(id, MuxRefusal.TooManyStreams);
        }

        bool isForeign = ConnectForeign is not null && !_listeners.ContainsKey((domain, port)) && domain != 0;
        MuxStream stream = new(this, id, domain, port, openedHere: false, _options, _peerWindow);
        _streams.Add(id, stream);
        if (isForeign)
        {
            _ = Task.Run(() => JoinForeignAsync(stream));
        }
        else
        {
            Park(stream);
        }

        return true;
    }

    private async Task JoinForeignAsync(MuxStream stream)
    {
        IVchan other;
        using CancellationTokenSource given = new();
        try
        {
            // The opener decides how long to wait: it resets the stream when it has waited enough.
            _ = stream.Closed.ContinueWith(_ => Cancel(given), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            other = await ConnectForeign!(stream.Domain, stream.Port, given.Token);
        }
        catch (Exception e)
        {
            MuxLog.ForeignConnectFailed(_logger, stream.Domain, stream.Port, e.Message);
            lock (Gate)
            {
                if (stream.State == MuxStreamState.Parked && _streams.Remove(stream.Id))
                {
                    stream.LinkLost();
                    Refuse(stream.Id, MuxRefusal.Unreachable);
                }
            }

            return;
        }

        bool alive;
        lock (Gate)
        {
            alive = stream.State == MuxStreamState.Parked;
            if (alive)
            {
                stream.Accept();
            }
        }

        if (alive)
        {
            await VchanRelay.RunAsync(stream, other);
        }
        else
        {
            await other.DisposeAsync();
        }
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The connect was over before.
        }
    }

    private bool IsOwn(uint id) => (id & 1) == (_role == MuxRole.Host ? 0u : 1u);

    private void ForgetIfFinished(MuxStream stream)
    {
        if (stream.IsFinished)
        {
            _streams.Remove(stream.Id);
        }
    }
}
