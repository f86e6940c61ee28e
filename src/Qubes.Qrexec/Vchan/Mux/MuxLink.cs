using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Qubes.Linux;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>
/// Many vchans over one byte stream (docs/vchan-mux.md). The link outlives its carriers: listeners and waiting connects stay while the carrier is replaced or
/// the peer restarts; only open streams end. Domains name the end that is not the guest: the host itself is 0.
/// </summary>
/// <remarks>
/// Threading: all state is guarded by <see cref="Gate"/>, which is never held across an await. One loop reads the carrier and never waits for anything
/// else, so a slow stream can not hold up others; one loop writes it.
/// </remarks>
public sealed partial class MuxLink : IVchanTransport, IAsyncDisposable
{
    private readonly MuxRole _role;
    private readonly MuxOptions _options;
    private readonly ILogger _logger;
    private readonly Dictionary<uint, MuxStream> _streams = [];
    private readonly Dictionary<(uint Domain, uint Port), MuxListener> _listeners = [];

    // Streams opened by the peer before there is a listener, oldest first.
    private readonly Dictionary<(uint Domain, uint Port), LinkedList<MuxStream>> _parked = [];

    private TaskCompletionSource _established = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isEstablished;
    private bool _disposed;
    private ulong _nonce;
    private ulong _peerNonce;
    private uint _tag;
    private int _peerWindow;
    private uint _lastId;
    private long _sessionBegan;
    private int _failures;

    public MuxLink(MuxRole role, MuxOptions options, ILogger logger)
    {
        if (options.ReceiveWindow is < (int)MuxHello.MinWindow or > (int)MuxHello.MaxWindow)
        {
            throw new ArgumentOutOfRangeException(nameof(options));
        }

        _role = role;
        _options = options;
        _logger = logger;
        _nonce = NewNonce();
    }

    /// <summary>
    /// Takes streams the peer opens to domains that have no listener here (the host: to other qubes). Called on a thread of the pool; the vchan it returns is
    /// joined to the stream, failing refuses it. Set before the link runs.
    /// </summary>
    public Func<uint, uint, CancellationToken, ValueTask<IVchan>>? ConnectForeign { get; init; }

    /// <summary>Whether a session with the peer stands.</summary>
    public bool IsEstablished
    {
        get
        {
            lock (Gate)
            {
                return _isEstablished;
            }
        }
    }

    /// <summary>Guards the link and its streams.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Waits until a session stands.</summary>
    public Task WaitEstablishedAsync(CancellationToken cancellationToken = default)
    {
        lock (Gate)
        {
            return _established.Task.WaitAsync(cancellationToken);
        }
    }

    public ValueTask<IVchanListener> ListenAsync(uint domain, uint port, CancellationToken cancellationToken = default)
    {
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            MuxListener listener = new(this, domain, port);
            return _listeners.TryAdd((domain, port), listener)
                ? new(listener)
                : throw new VchanException($"port {port} towards domain {domain} is listened on already");
        }
    }

    public async ValueTask<IVchan> ConnectAsync(uint domain, uint port, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            await WaitEstablishedAsync(cancellationToken);
            MuxStream? stream = Open(domain, port);
            if (stream is null)
            {
                continue;
            }

            try
            {
                await stream.OpenedAsync().WaitAsync(cancellationToken);
            }
            catch
            {
                await stream.DisposeAsync();
                throw;
            }

            // A session lost meanwhile is not the server's refusal: the server appears again with the next session.
            switch (stream.State)
            {
                case MuxStreamState.Refused:
                    throw new VchanException($"port {port} towards domain {domain} is refused (reason {stream.RefusedReason})");
                case MuxStreamState.Dead when stream.WasReset:
                    throw new VchanClosedException();
                case MuxStreamState.Dead:
                    break;
                default:
                    return stream;
            }
        }
    }

    /// <summary>Ends all streams and refuses further use. The carrier is the caller's.</summary>
    public ValueTask DisposeAsync()
    {
        lock (Gate)
        {
            _disposed = true;
            EndSession();
            _established.TrySetException(new ObjectDisposedException(nameof(MuxLink)));
            foreach (MuxListener listener in _listeners.Values.ToArray())
            {
                listener.Close();
            }
        }

        return default;
    }

    internal void Forget(MuxListener listener) => _listeners.Remove((listener.Domain, listener.Port));

    /// <summary>The oldest stream that waits for a listener here, accepted; null when there is none. With the gate held.</summary>
    internal MuxStream? TakeParked(uint domain, uint port)
    {
        if (!_parked.TryGetValue((domain, port), out LinkedList<MuxStream>? waiting))
        {
            return null;
        }

        MuxStream stream = waiting.First!.Value;
        Unpark(stream);
        stream.Accept();
        return stream;
    }

    /// <summary>With the gate held.</summary>
    internal bool IsDisposed => _disposed;

    private static ulong NewNonce()
    {
        Span<byte> bytes = stackalloc byte[8];
        KernelRandom.Fill(bytes);
        return BitConverter.ToUInt64(bytes) | 1;
    }

    private MuxStream? Open(uint domain, uint port)
    {
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_isEstablished)
            {
                return null;
            }

            if (_streams.Count >= _options.MaxStreams)
            {
                throw new VchanException("too many streams on this link");
            }

            uint id = _lastId;
            do
            {
                // Numbers of the host are even, of the guest odd; 0 is the link itself.
                id = unchecked(id + 2);
                if (id == 0 || !IsOwn(id))
                {
                    id = _role == MuxRole.Host ? 2u : 1u;
                }
            }
            while (_streams.ContainsKey(id));
            _lastId = id;
            MuxStream stream = new(this, id, domain, port, openedHere: true, _options, _peerWindow);
            _streams.Add(id, stream);
            Schedule(stream);
            return stream;
        }
    }

    private void Park(MuxStream stream)
    {
        (uint, uint) key = (stream.Domain, stream.Port);
        if (!_parked.TryGetValue(key, out LinkedList<MuxStream>? waiting))
        {
            _parked.Add(key, waiting = []);
        }

        waiting.AddLast(stream);
        if (_listeners.TryGetValue(key, out MuxListener? listener))
        {
            listener.Wake();
        }
    }

    private void Unpark(MuxStream stream)
    {
        (uint, uint) key = (stream.Domain, stream.Port);
        if (_parked.TryGetValue(key, out LinkedList<MuxStream>? waiting) && waiting.Remove(stream) && waiting.Count == 0)
        {
            _parked.Remove(key);
        }
    }

    // With the gate held: no session stands from here on, and nothing of the old one can be confused with the next.
    private void EndSession()
    {
        foreach (MuxStream stream in _streams.Values)
        {
            stream.LinkLost();
        }

        _streams.Clear();
        _parked.Clear();
        ClearSendState();
        _nonce = NewNonce();
        _peerNonce = 0;
        _lastId = 0;
        if (_isEstablished)
        {
            _isEstablished = false;
            _established = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private void BeginSession(MuxHello hello)
    {
        _sessionBegan = Stopwatch.GetTimestamp();
        _isEstablished = true;
        _tag = MuxHello.SessionTag(_nonce, hello.Nonce);
        _peerWindow = (int)hello.Window;
        _parser.ExpectFrames(_tag);
        _established.TrySetResult();
    }
}
