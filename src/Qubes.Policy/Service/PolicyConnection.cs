using System.Runtime.InteropServices;
using System.Text;
using Qubes.Linux;
using Qubes.Policy.Text;

namespace Qubes.Policy.Service;

/// <summary>
/// One connection on <c>policy.sock</c>: one request, one answer, end. What is no request gets no answer; the transport then
/// refuses the call. Belongs to the reactor's thread.
/// </summary>
internal sealed class PolicyConnection(PolicyServer server, SafeHandle socket) : IReactorHandler, IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private ReactorRegistration? _registration;
    private ReactorTimer? _deadline;
    private byte[] _held = [];
    private bool _isClosed;

    /// <summary>True until the request is complete, refused, or given up.</summary>
    public bool IsReading { get; private set; } = true;

    /// <summary>Where the server keeps it while it is reading.</summary>
    public LinkedListNode<PolicyConnection>? Place { get; set; }

    /// <inheritdoc/>
    public void OnReady(ReactorEvents events)
    {
        if (IsReading)
        {
            Receive();
        }
        else if ((events & (ReactorEvents.HangUp | ReactorEvents.Error)) != ReactorEvents.None)
        {
            // Nobody waits for the decision any more: a question to a person is taken back. A half-close is no hang-up.
            Close();
        }
    }

    /// <summary>Reads what is there; called at once after accepting, since most clients have written by then.</summary>
    public void Receive()
    {
        byte[] buffer = server.ReceiveBuffer;
        _held.CopyTo(buffer, 0);
        int length = _held.Length;
        while (true)
        {
            SocketResult result = NonBlockingSocket.TryReceive(socket, buffer.AsSpan(length), out int received);
            length += received;
            int end = result == SocketResult.EndOfInput ? length : PolicyQueryCodec.FindEnd(buffer.AsSpan(0, length));
            if (end >= 0)
            {
                Decide(buffer.AsSpan(0, end));
                return;
            }

            if (length == buffer.Length)
            {
                Refuse("it is too long");
                return;
            }

            switch (result)
            {
                case SocketResult.Done:
                    break;
                case SocketResult.WouldBlock:
                    _held = buffer[..length];
                    WaitForMore();
                    return;
                default:
                    Close();
                    return;
            }
        }
    }

    /// <summary>Ends the connection with no answer.</summary>
    public void Refuse(string reason)
    {
        PolicyLog.BadRequest(server.Logger, reason);
        Close();
    }

    public void Dispose() => Close();

    public void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        IsReading = false;
        _deadline?.Remove();
        _registration?.Dispose();
        socket.Dispose();
        server.OnClosed(this);
        _gone.Cancel();
        _gone.Dispose();
    }

    private void WaitForMore()
    {
        if (_registration is null)
        {
            _registration = server.Reactor.Add(socket, ReactorEvents.Readable, this);
            _deadline = server.Reactor.CreateTimer(() => Refuse("it did not come in time"));
            _deadline.Set(server.RequestTimeout);
        }
    }

    private void Decide(ReadOnlySpan<byte> untrustedRequest)
    {
        IsReading = false;
        _held = [];
        _deadline?.Remove();
        server.OnRequestRead(this);
        if (!PolicyQueryCodec.TryParse(untrustedRequest, out PolicyQuery? query, out string? error))
        {
            Refuse(error);
            return;
        }

        ValueTask<string> deciding = server.Service.DecideAsync(query, _gone.Token);
        if (deciding.IsCompletedSuccessfully)
        {
            Answer(deciding.Result);
            return;
        }

        // Watched for nothing but the hang-up, which epoll always tells.
        if (_registration is null)
        {
            _registration = server.Reactor.Add(socket, ReactorEvents.None, this);
        }
        else
        {
            _registration.Change(ReactorEvents.None);
        }

        _ = AnswerAsync(deciding);
    }

    private async Task AnswerAsync(ValueTask<string> deciding)
    {
        try
        {
            Answer(await deciding);
        }
        catch (Exception e)
        {
            if (!_isClosed)
            {
                PolicyLog.Failed(server.Logger, e);
                Close();
            }
        }
    }

    private void Answer(string answer)
    {
        if (_isClosed)
        {
            return;
        }

        // The buffer of a fresh socket holds any answer many times over; a peer that is gone needs none.
        if (NonBlockingSocket.TrySend(socket, Encoding.UTF8.GetBytes(answer), out _) == SocketResult.WouldBlock)
        {
            PolicyLog.BadRequest(server.Logger, $"the answer is not taken: {PythonText.Escape(answer[..Math.Min(answer.Length, 200)])}");
        }

        Close();
    }
}
