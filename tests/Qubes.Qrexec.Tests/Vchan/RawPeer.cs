using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Qrexec.Vchan;
using Qubes.Qrexec.Vchan.Mux;

namespace Qubes.Qrexec.Tests.Vchan;

/// <summary>A guest that speaks the multiplexer's frames by hand, against a real host end.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Stream _hostCarrier;
    private readonly Stream _carrier;
    private readonly MuxParser _parser = new();
    private readonly Task _run;
    private ulong _nonce = 100;
    private uint _tag;

    private RawPeer(MuxOptions options)
    {
        (_hostCarrier, _carrier) = SocketStreams.Pair();
        Host = new(MuxRole.Host, options, NullLogger.Instance);
        _run = Host.RunAsync(_hostCarrier, _stop.Token);
    }

    public MuxLink Host { get; }

    public uint LastOpened { get; private set; }

    public static async Task<RawPeer> StartAsync(MuxOptions options)
    {
        RawPeer peer = new(options);
        await peer.HandshakeAsync();
        return peer;
    }

    public async Task HandshakeAsync()
    {
        _nonce++;
        _parser.Scan();
        ulong known = 0;
        while (true)
        {
            MuxParser.Item item = await NextAsync();
            if (item != MuxParser.Item.Hello)
            {
                continue;
            }

            MuxHello hello = _parser.Hello;
            if (hello.Nonce != known)
            {
                known = hello.Nonce;
                byte[] bytes = new byte[MuxHello.Size];
                new MuxHello(1, 4096, _nonce, known).Write(bytes);
                await SendAsync(bytes);
            }

            if (hello.Echo == _nonce)
            {
                _tag = MuxHello.SessionTag(_nonce, known);
                _parser.ExpectFrames(_tag);
                await Host.WaitEstablishedAsync().WaitAsync(LinkPair.Patience);
                return;
            }
        }
    }

    /// <summary>Lets the host open a stream and accepts it.</summary>
    public async Task<IVchan> AcceptFromHostAsync()
    {
        Task<IVchan> connecting = Host.ConnectAsync(0, 512).AsTask();
        MuxFrame open = await ReadFrameAsync();
        Assert.Equal(MuxFrameType.Open, open.Type);
        LastOpened = open.Stream;
        await SendFrameAsync(MuxFrameType.Accept, open.Stream, []);
        return await connecting.WaitAsync(LinkPair.Patience);
    }

    public async Task<MuxFrame> ReadFrameAsync()
    {
        while (true)
        {
            switch (await NextAsync())
            {
                case MuxParser.Item.Frame:
                    return _parser.Frame;
                case MuxParser.Item.Garbage:
                    throw new InvalidDataException("the host sent garbage");
                default:
                    break;
            }
        }
    }

    public Task SendFrameAsync(MuxFrameType type, uint stream, byte[] payload)
    {
        byte[] frame = new byte[MuxFrame.HeaderSize + payload.Length + MuxFrame.TrailerSize];
        MuxFrame.Write(frame, _tag, type, 0, stream, payload);
        return SendAsync(frame);
    }

    public Task SendAsync(byte[] bytes) => _carrier.WriteAsync(bytes).AsTask().WaitAsync(LinkPair.Patience);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Host.DisposeAsync();
        await _hostCarrier.DisposeAsync();
        await _carrier.DisposeAsync();
        _stop.Dispose();
    }

    private async Task<MuxParser.Item> NextAsync()
    {
        while (true)
        {
            MuxParser.Item item = _parser.Next();
            if (item != MuxParser.Item.None)
            {
                return item;
            }

            int n = await _carrier.ReadAsync(_parser.GetSpace()).AsTask().WaitAsync(LinkPair.Patience);
            Assert.NotEqual(0, n);
            _parser.Received(n);
        }
    }
}
