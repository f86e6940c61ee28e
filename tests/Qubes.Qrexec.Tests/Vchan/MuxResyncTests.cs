using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Qrexec.Vchan;
using Qubes.Qrexec.Vchan.Mux;

namespace Qubes.Qrexec.Tests.Vchan;

/// <summary>Ends that die, restart or talk nonsense on a carrier that stays.</summary>
public sealed class MuxResyncTests
{
    private static readonly MuxOptions Quick = new() { HelloFirstPause = TimeSpan.FromMilliseconds(50) };

    private static TimeSpan Patience => LinkPair.Patience;

    [Fact]
    public Task A_restart_after_any_number_of_bytes_begins_a_clean_session() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 200_000], Gen.Int[0, 1000]).SampleAsync(RestartAsync, iter: 40);

    [Fact]
    public async Task Streams_end_when_the_peer_restarts()
    {
        (Stream one, Stream other) = SocketStreams.Pair();
        using CancellationTokenSource stop = new();
        await using MuxLink host = new(MuxRole.Host, Quick, NullLogger.Instance);
        await using MuxLink guest = new(MuxRole.Guest, Quick, NullLogger.Instance);
        await using MuxLink successor = new(MuxRole.Guest, Quick, NullLogger.Instance);
        using CancellationTokenSource stopGuest = new();
        Task hostRun = host.RunAsync(one, stop.Token);
        Task guestRun = guest.RunAsync(other, stopGuest.Token);
        (IVchan client, IVchan _) = await VchanTesting.JoinAsync(host, 0, guest, 0, 513);
        await stopGuest.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => guestRun);

        Task successorRun = successor.RunAsync(other, stop.Token);
        Assert.Equal(0, await client.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        await client.Closed.WaitAsync(Patience);
        await Assert.ThrowsAsync<VchanClosedException>(() => client.WriteAsync(new byte[1]).AsTask());
        await AssertWorksAsync(host, successor);
        await stop.CancelAsync();
        await EndedAsync(hostRun, successorRun);
        await one.DisposeAsync();
        await other.DisposeAsync();
    }

    [Fact]
    public async Task A_waiting_connect_survives_the_restart_of_the_peer()
    {
        (Stream one, Stream other) = SocketStreams.Pair();
        using CancellationTokenSource stop = new();
        await using MuxLink host = new(MuxRole.Host, Quick, NullLogger.Instance);
        await using MuxLink guest = new(MuxRole.Guest, Quick, NullLogger.Instance);
        await using MuxLink successor = new(MuxRole.Guest, Quick, NullLogger.Instance);
        using CancellationTokenSource stopGuest = new();
        Task hostRun = host.RunAsync(one, stop.Token);
        Task guestRun = guest.RunAsync(other, stopGuest.Token);
        Task<IVchan> waiting = host.ConnectAsync(0, 512).AsTask();
        await host.WaitEstablishedAsync().WaitAsync(Patience);
        await host.PingAsync().WaitAsync(Patience);
        await stopGuest.CancelAsync();
        await EndedAsync(guestRun);

        await using IVchanListener listener = await successor.ListenAsync(0, 512);
        Task successorRun = successor.RunAsync(other, stop.Token);
        await using IVchan server = await listener.AcceptAsync().AsTask().WaitAsync(Patience);
        await using IVchan client = await waiting.WaitAsync(Patience);
        await stop.CancelAsync();
        await EndedAsync(hostRun, successorRun);
        await one.DisposeAsync();
        await other.DisposeAsync();
    }

    [Fact]
    public Task Garbage_before_the_first_hello_is_skipped() =>
        Gen.Byte.Array[0, 3000].SampleAsync(
            async garbage =>
            {
                (Stream one, Stream other) = SocketStreams.Pair();
                await other.WriteAsync(garbage);
                using CancellationTokenSource stop = new();
                await using MuxLink host = new(MuxRole.Host, Quick, NullLogger.Instance);
                await using MuxLink guest = new(MuxRole.Guest, Quick, NullLogger.Instance);
                Task runs = Task.WhenAll(host.RunAsync(one, stop.Token), guest.RunAsync(other, stop.Token));
                await AssertWorksAsync(host, guest);
                await stop.CancelAsync();
                await EndedAsync(runs);
                await one.DisposeAsync();
                await other.DisposeAsync();
            },
            iter: 30);

    [Fact]
    public async Task Garbage_inside_a_session_ends_the_session_and_the_next_one_works()
    {
        await using RawPeer peer = await RawPeer.StartAsync(Quick);
        IVchan stream = await peer.AcceptFromHostAsync();
        await peer.SendAsync("this is no frame of any session"u8.ToArray());
        Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        Assert.False(peer.Host.IsEstablished);
        await peer.HandshakeAsync();
        IVchan next = await peer.AcceptFromHostAsync();
        await peer.SendFrameAsync(MuxFrameType.Data, peer.LastOpened, [1, 2, 3]);
        Assert.Equal(3, await next.ReadAsync(new byte[8]).AsTask().WaitAsync(Patience));
    }

    [Theory]
    [InlineData("window")]
    [InlineData("data on an unknown stream")]
    [InlineData("open with the other end's number")]
    [InlineData("second close")]
    [InlineData("data after close")]
    [InlineData("second accept")]
    [InlineData("credit without bounds")]
    public async Task A_peer_that_breaks_the_rules_loses_its_session(string rule)
    {
        MuxOptions options = Quick with { ReceiveWindow = 2048 };
        await using RawPeer peer = await RawPeer.StartAsync(options);
        IVchan stream = await peer.AcceptFromHostAsync();
        uint id = peer.LastOpened;
        switch (rule)
        {
            case "window":
                await peer.SendFrameAsync(MuxFrameType.Data, id, new byte[2048]);
                await peer.SendFrameAsync(MuxFrameType.Data, id, new byte[1]);
                break;
            case "data on an unknown stream":
                await peer.SendFrameAsync(MuxFrameType.Data, 77, [1]);
                break;
            case "open with the other end's number":
                await peer.SendFrameAsync(MuxFrameType.Open, 100, new byte[8]);
                break;
            case "second close":
                await peer.SendFrameAsync(MuxFrameType.Close, id, []);
                await peer.SendFrameAsync(MuxFrameType.Close, id, []);
                break;
            case "data after close":
                await peer.SendFrameAsync(MuxFrameType.Close, id, []);
                await peer.SendFrameAsync(MuxFrameType.Data, id, [1]);
                break;
            case "second accept":
                await peer.SendFrameAsync(MuxFrameType.Accept, id, []);
                break;
            default:
                await peer.SendFrameAsync(MuxFrameType.Credit, id, [0xFF, 0xFF, 0xFF, 0xFF]);
                break;
        }

        await stream.Closed.WaitAsync(Patience);
        Assert.False(peer.Host.IsEstablished);
        await peer.HandshakeAsync();
        await peer.AcceptFromHostAsync();
    }

    [Fact]
    public async Task A_peer_that_only_opens_streams_is_refused_beyond_the_limit()
    {
        await using RawPeer peer = await RawPeer.StartAsync(Quick with { MaxStreams = 8 });
        for (uint i = 0; i < 9; i++)
        {
            await peer.SendFrameAsync(MuxFrameType.Open, (2 * i) + 1, [0, 0, 0, 0, 1, 2, 0, 0]);
        }

        MuxFrame answer = await peer.ReadFrameAsync();
        Assert.Equal((MuxFrameType.Refuse, 17u), (answer.Type, answer.Stream));
        Assert.True(peer.Host.IsEstablished);
    }

    private static async Task RestartAsync(bool hostDies, int bytes, int seed)
    {
        (Stream one, Stream other) = SocketStreams.Pair();
        using CancellationTokenSource stop = new();
        MuxRole dyingRole = hostDies ? MuxRole.Host : MuxRole.Guest;
        MuxRole stayingRole = hostDies ? MuxRole.Guest : MuxRole.Host;
        await using MuxLink dying = new(dyingRole, Quick, NullLogger.Instance);
        await using MuxLink staying = new(stayingRole, Quick, NullLogger.Instance);
        await using MuxLink successor = new(dyingRole, Quick, NullLogger.Instance);
        await using CutStream cut = new(one, bytes);
        Task dyingRun = dying.RunAsync(cut, stop.Token);
        Task stayingRun = staying.RunAsync(other, stop.Token);
        Task traffic = Task.Run(() => TrafficAsync(dying, staying, seed, stop.Token));
        await Assert.ThrowsAnyAsync<IOException>(() => dyingRun.WaitAsync(Patience));

        Task successorRun = successor.RunAsync(one, stop.Token);
        await AssertWorksAsync(successor, staying);
        await stop.CancelAsync();
        await EndedAsync(traffic, stayingRun, successorRun);
        await one.DisposeAsync();
        await other.DisposeAsync();
    }

    // Endless traffic in both directions, so that the cut falls anywhere in a frame.
    private static async Task TrafficAsync(MuxLink dying, MuxLink staying, int seed, CancellationToken cancellationToken)
    {
        await using IVchanListener listener = await staying.ListenAsync(0, 600, cancellationToken);
        ValueTask<IVchan> accepting = listener.AcceptAsync(cancellationToken);
        await using IVchan client = await dying.ConnectAsync(0, 600, cancellationToken);
        await using IVchan server = await accepting;
        await Task.WhenAll(
            VchanTesting.SendAsync(client, seed, long.MaxValue, 20_000), VchanTesting.ReceiveAsync(server),
            VchanTesting.SendAsync(server, seed, long.MaxValue, 20_000), VchanTesting.ReceiveAsync(client));
    }

    private static async Task AssertWorksAsync(MuxLink one, MuxLink other)
    {
        (IVchan client, IVchan server) = await VchanTesting.JoinAsync(one, 0, other, 0, 700);
        Task<byte[]> sent = VchanTesting.SendAsync(client, 5, 100_000);
        (byte[] received, long _) = await VchanTesting.ReceiveAsync(server);
        Assert.Equal(await sent, received);
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    private static async Task EndedAsync(params Task[] tasks) =>
        await ((Task)Task.WhenAll(tasks)).WaitAsync(Patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
