using System.Runtime.InteropServices;
using Qubes.Linux;
using Qubes.Protocol.Admin;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Server;

/// <summary>
/// One caller: reads its request, hands it on, writes the reply, closes. Belongs to the loop's thread; never sleeps.
/// </summary>
public sealed class AdminConnection : IReactorHandler
{
    // A caller that still sends after its request was refused is read to its end, within this, so that its reply is not
    // lost to a connection reset.
    private const int MostBytesDrained = 1 << 20;

    private readonly AdminServer _server;
    private readonly SafeHandle _socket;
    private readonly ByteQueue _input = new();
    private readonly ByteQueue _output = new();
    private IReplySource? _rest;
    private ReactorRegistration? _registration;
    private State _state = State.Reading;
    private ReactorEvents _watched;
    private int _drained;
    private bool _replied;
    private bool _mustDrain;

    internal AdminConnection(AdminServer server, SafeHandle socket, AdminSocketKind kind)
    {
        _server = server;
        _socket = socket;
        Kind = kind;
    }

    private enum State
    {
        Reading,

        /// <summary>The request is with the dispatcher; only a hang-up is waited for.</summary>
        Running,

        /// <summary>The whole reply is queued; the caller has not taken all of it.</summary>
        Finishing,

        /// <summary>The reply is out; what the caller still sends is thrown away.</summary>
        Draining,
        Closed,
    }

    public AdminSocketKind Kind { get; }

    /// <summary>False once the caller has gone: nothing that is still written can arrive.</summary>
    public bool IsOpen => _state != State.Closed;

    /// <summary>The user whose process connected; null before <see cref="IdentifyPeer"/>.</summary>
    public uint? PeerUserId { get; private set; }

    /// <summary>True from the first streamed message on.</summary>
    public bool IsStream { get; private set; }

    /// <summary>Called once, on the loop, when the caller goes away or is disconnected before it got a reply.</summary>
    public Action? Disconnected { get; set; }

    // The server's queue of connections with a deadline; see DeadlineQueue.
    internal AdminConnection? Next { get; set; }

    internal AdminConnection? Previous { get; set; }

    internal long Deadline { get; set; }

    internal bool IsReading => _state == State.Reading;

    /// <summary>Asks the kernel who connected; once the connection is closed nobody can tell.</summary>
    public void IdentifyPeer() => PeerUserId = PeerCredentials.Of(_socket).UserId;

    /// <summary>Writes the whole (rest of the) reply and ends the connection. A caller that has gone is no error.</summary>
    /// <param name="message">What there is.</param>
    /// <param name="rest">What follows it.</param>
    public void Reply(ReadOnlySpan<byte> message, IReplySource? rest = null)
    {
        if (_replied || _state == State.Closed)
        {
            return;
        }

        _replied = true;
        _rest = rest;
        if (!_output.IsEmpty)
        {
            _output.Append(message);
        }
        else if (TrySend(message) && SendRest())
        {
            EndOutput();
            return;
        }

        if (_state != State.Closed)
        {
            _state = State.Finishing;
            _server.Deadlines.Restart(this);
            Watch(ReactorEvents.Writable);
        }
    }

    /// <summary>
    /// Writes one message of a stream, or queues it. A subscriber that is too far behind is disconnected: it would
    /// otherwise miss events without knowing.
    /// </summary>
    public void Stream(ReadOnlySpan<byte> message)
    {
        if (_state != State.Running || _replied)
        {
            return;
        }

        IsStream = true;
        if (_output.IsEmpty)
        {
            switch (NonBlockingSocket.TrySend(_socket, message, out int sent))
            {
                case SocketResult.Done:
                    return;
                case SocketResult.WouldBlock:
                    message = message[sent..];
                    break;
                default:
                    Close();
                    return;
            }
        }

        if (_output.Count + message.Length > _server.Limits.StreamBacklogBytes)
        {
            _server.OnSubscriberTooSlow(this);
            Close();
            return;
        }

        _output.Append(message);
        Watch(ReactorEvents.Writable);
    }

    public void OnReady(ReactorEvents events)
    {
        switch (_state)
        {
            case State.Reading:
                Receive();
                break;
            case State.Draining:
                Drain();
                break;
            case State.Running or State.Finishing when (events & (ReactorEvents.HangUp | ReactorEvents.Error)) != ReactorEvents.None:
                Close();
                break;
            case State.Running or State.Finishing:
                Flush();
                break;
            default:
                break;
        }
    }

    /// <summary>Reads what is there; called at once after accepting, since most callers have written by then.</summary>
    internal void Receive()
    {
        // A request that is complete on the first look never leaves the server's own buffer.
        Span<byte> buffer = _server.ReceiveBuffer;
        int held = 0;
        while (true)
        {
            int room = AdminLimits.MaxRequestBytes + 1 - _input.Count - held;
            SocketResult result = NonBlockingSocket.TryReceive(_socket, buffer.Slice(held, room), out int received);
            held += received;
            if (_input.Count + held > AdminLimits.MaxRequestBytes)
            {
                EndReading();
                Refuse(AdminRequestErrorText.Of(AdminRequestError.TooLong));
                return;
            }

            switch (result)
            {
                case SocketResult.Done:
                    break;
                case SocketResult.EndOfInput when _input.IsEmpty:
                    EndReading();
                    Dispatch(buffer[..held]);
                    return;
                case SocketResult.EndOfInput:
                    _input.Append(buffer[..held]);
                    EndReading();
                    Dispatch(_input.Bytes);
                    _input.Clear();
                    return;
                case SocketResult.WouldBlock:
                    _input.Append(buffer[..held]);
                    Watch(ReactorEvents.Readable);
                    return;
                default:
                    Close();
                    return;
            }
        }
    }

    /// <summary>The time for the request, or for taking the reply, is over.</summary>
    internal void OnDeadline()
    {
        if (_state == State.Reading)
        {
            EndReading();
            Refuse("request not completed in time");
        }
        else
        {
            Close();
        }
    }

    /// <summary>Makes room for newer callers.</summary>
    internal void Evict()
    {
        EndReading();
        Refuse("too many unfinished requests");
    }

    internal void Close()
    {
        if (_state == State.Closed)
        {
            return;
        }

        bool wasReading = _state == State.Reading;
        bool wasRunning = _state == State.Running && !_replied;
        _state = State.Closed;
        _registration?.Dispose();
        _registration = null;
        _socket.Dispose();
        _input.Clear();
        _output.Clear();
        _rest = null;
        _server.OnClosed(this, wasReading);
        if (wasRunning)
        {
            Disconnected?.Invoke();
        }
    }

    private void EndReading()
    {
        _server.OnRequestRead(this);
        _state = State.Running;
    }

    private void Dispatch(ReadOnlySpan<byte> untrustedRequest)
    {
        _server.Dispatcher.Dispatch(this, untrustedRequest);
        if (_state == State.Running && !_replied)
        {
            // Only a hang-up is waited for; the caller's half-close, which has been seen, is none.
            Watch(_output.IsEmpty ? ReactorEvents.None : ReactorEvents.Writable);
        }
    }

    private void Refuse(string text)
    {
        ReplyBuffer reply = _server.Buffers.Rent();
        AdminReplyWriter.WriteException(reply, QubesErrorNames.DaemonCommunication, text);
        _mustDrain = true;
        Reply(reply.Written);
        _server.Buffers.Return(reply);
    }

    private void Flush()
    {
        switch (NonBlockingSocket.TrySend(_socket, _output.Bytes, out int sent))
        {
            case SocketResult.Done:
                _output.Clear();
                if (!_replied)
                {
                    Watch(ReactorEvents.None);
                }
                else if (SendRest())
                {
                    EndOutput();
                }
                else if (_state != State.Closed)
                {
                    _server.Deadlines.Restart(this);
                }

                break;
            case SocketResult.WouldBlock:
                _output.Consume(sent);
                if (_replied)
                {
                    _server.Deadlines.Restart(this);
                }

                break;
            default:
                Close();
                break;
        }
    }

    /// <summary>With nothing queued. False: the caller takes no more now and the remainder is queued, or it is gone.</summary>
    private bool TrySend(ReadOnlySpan<byte> message)
    {
        switch (NonBlockingSocket.TrySend(_socket, message, out int sent))
        {
            case SocketResult.Done:
                return true;
            case SocketResult.WouldBlock:
                _output.Append(message[sent..]);
                return false;
            default:
                Close();
                return false;
        }
    }

    /// <summary>Sends parts of the rest as long as the caller takes them; false as for <see cref="TrySend"/>.</summary>
    private bool SendRest()
    {
        if (_rest is null)
        {
            return true;
        }

        ReplyBuffer part = _server.Buffers.Rent();
        bool isTaken = true;
        while (isTaken && _rest is { } rest)
        {
            part.Truncate(0);
            _rest = rest.WriteNext(part) ? rest : null;
            isTaken = TrySend(part.Written);
        }

        _server.Buffers.Return(part);
        return isTaken;
    }

    private void EndOutput()
    {
        if (!_mustDrain)
        {
            Close();
            return;
        }

        NonBlockingSocket.FinishOutput(_socket);
        _state = State.Draining;
        _server.Deadlines.Restart(this);
        Watch(ReactorEvents.Readable);
    }

    private void Drain()
    {
        while (true)
        {
            SocketResult result = NonBlockingSocket.TryReceive(_socket, _server.ReceiveBuffer, out int received);
            _drained += received;
            if (result == SocketResult.WouldBlock)
            {
                return;
            }

            if (result != SocketResult.Done || _drained > MostBytesDrained)
            {
                Close();
                return;
            }
        }
    }

    private void Watch(ReactorEvents events)
    {
        if (_registration is null)
        {
            _registration = _server.Reactor.Add(_socket, events, this);
            _watched = events;
        }
        else if (_watched != events)
        {
            _registration.Change(events);
            _watched = events;
        }
    }
}
