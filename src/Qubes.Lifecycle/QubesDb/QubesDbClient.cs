using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model.QubesDb;
using Qubes.Protocol.Errors;
using Qubes.Protocol.QubesDb;

namespace Qubes.Lifecycle.QubesDb;

/// <summary>
/// Our connection to a qube's QubesDB daemon. Requests are sent without waiting for the answers to those before, which come in the same
/// order. Sending and receiving run off the model loop. A daemon that does not answer in time is given up, as one that is gone.
/// </summary>
internal sealed class QubesDbClient : IQubesDbConnection
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private const int MostPending = 1 << 16;

    private readonly Socket _socket;
    private readonly ILogger _log;
    private readonly Action _lost;
    private readonly ChangeReporter _changes;
    private readonly ITimer _deadline;
    private readonly Channel<byte[]> _outgoing = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _gate = new();

    // Sent and not answered, oldest first.
    private readonly Queue<QubesDbRequest> _pending = [];
    private QubesException? _failure;
    private bool _closed;

    private QubesDbClient(Socket socket, ChangeReporter changes, Action lost, TimeProvider time, ILogger log)
    {
        _socket = socket;
        _changes = changes;
        _lost = lost;
        _log = log;
        _deadline = time.CreateTimer(_ => Close("it does not answer"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _ = Task.Run(SendAsync);
        _ = Task.Run(ReceiveAsync);
    }

    /// <summary>Connects to a daemon.</summary>
    /// <param name="connect">Connects to it; may block.</param>
    /// <param name="changes">Gets what watches tell.</param>
    /// <param name="lost">Called once, on any thread, when the connection has ended.</param>
    public static async Task<QubesDbClient> ConnectAsync(Func<Task<Socket>> connect, ChangeReporter changes, Action lost, TimeProvider time, ILogger log)
    {
        Socket socket = await Task.Run(connect).WaitAsync(Deadline, time);
        return new QubesDbClient(socket, changes, lost, time, log);
    }

    public void Write(string path, byte[] value) => Send(QubesDbMessageType.Write, path, value);

    public void Remove(string path) => Send(QubesDbMessageType.Remove, path);

    public void Watch(string path) => Send(QubesDbMessageType.Watch, path);

    public void Unwatch(string path) => Send(QubesDbMessageType.Unwatch, path);

    public async Task FlushAsync()
    {
        Task last;
        lock (_gate)
        {
            last = _pending.LastOrDefault()?.Answered ?? Task.CompletedTask;
        }

        await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (Interlocked.Exchange(ref _failure, null) is { } failure)
        {
            throw failure;
        }
    }

    public async Task<byte[]?> ReadAsync(string path) => await Send(QubesDbMessageType.Read, path).Answered is [{ } entry] ? entry.Value : null;

    public async Task<IReadOnlyList<QubesDbEntry>> ReadAllAsync(string prefix) => await Send(QubesDbMessageType.MultiRead, prefix).Answered;

    public async Task<IReadOnlyList<string>> ListAsync(string prefix) =>
        [.. (await Send(QubesDbMessageType.List, prefix).Answered).Select(entry => entry.Path)];

    private QubesDbRequest Send(QubesDbMessageType type, string path, byte[]? value = null)
    {
        QubesDbRequest request = new(type, path);
        bool isTooMany;
        lock (_gate)
        {
            if (_closed)
            {
                Fail(request);
                return request;
            }

            _pending.Enqueue(request);
            isTooMany = _pending.Count > MostPending;
            if (_pending.Count == 1)
            {
                _deadline.Change(Deadline, Timeout.InfiniteTimeSpan);
            }

            _outgoing.Writer.TryWrite(QubesDbHeader.Message(type, path, value));
        }

        if (isTooMany)
        {
            Close("it is too far behind");
        }

        return request;
    }

    private async Task SendAsync()
    {
        try
        {
            await foreach (byte[] message in _outgoing.Reader.ReadAllAsync())
            {
                ReadOnlyMemory<byte> rest = message;
                while (!rest.IsEmpty)
                {
                    rest = rest[await _socket.SendAsync(rest)..];
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Close(e.Message);
        }
    }

    private async Task ReceiveAsync()
    {
        try
        {
            await using NetworkStream stream = new(_socket, ownsSocket: false);
            await using BufferedStream buffered = new(stream, 16 * 1024);
            byte[] bytes = new byte[QubesDbHeader.Size];
            while (true)
            {
                await buffered.ReadExactlyAsync(bytes);
                QubesDbHeader header = QubesDbHeader.Read(bytes);
                if (!header.IsValid)
                {
                    throw new InvalidDataException("it sent something else than an answer");
                }

                byte[] value = header.DataLength == 0 ? [] : new byte[header.DataLength];
                await buffered.ReadExactlyAsync(value);
                if (header.Type == QubesDbMessageType.Changed)
                {
                    await _changes.ReportAsync(header.Path!);
                }
                else
                {
                    Answer(header, value);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidDataException)
        {
            Close(e.Message);
        }
    }

    private void Answer(QubesDbHeader header, byte[] value)
    {
        QubesDbRequest request;
        lock (_gate)
        {
            if (!_pending.TryPeek(out request!))
            {
                throw new InvalidDataException("it answered what was not asked");
            }

            _deadline.Change(Deadline, Timeout.InfiniteTimeSpan);
            if (!request.Take(header, value))
            {
                return;
            }

            _pending.Dequeue();
            Note(request);
            if (_pending.Count == 0)
            {
                _deadline.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        request.Complete();
    }

    private void Close(string reason)
    {
        QubesDbRequest[] unanswered;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            unanswered = [.. _pending];
            _pending.Clear();
        }

        _log.LogInformation("A connection with a QubesDB daemon has ended: {Reason}", LogText.Escape(reason));
        _deadline.Dispose();
        _outgoing.Writer.TryComplete();
        _socket.Dispose();
        Array.ForEach(unanswered, Fail);
        _lost();
    }

    private void Fail(QubesDbRequest request)
    {
        request.Failure = QubesErrors.General($"QubesDB is not reachable (path {request.Path})");
        Note(request);
        request.Complete();
    }

    // Nobody awaits a change: the next flush tells of its failure. Kept before whoever waits for the request goes on.
    private void Note(QubesDbRequest request)
    {
        if (request is { IsChange: true, Failure: { } failure })
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
        }
    }
}
