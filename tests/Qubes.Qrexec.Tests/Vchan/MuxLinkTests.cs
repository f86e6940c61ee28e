using CsCheck;
using Qubes.Qrexec.Vchan;
using Qubes.Qrexec.Vchan.Mux;

namespace Qubes.Qrexec.Tests.Vchan;

public sealed class MuxLinkTests
{
    private static TimeSpan Patience => LinkPair.Patience;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Either_end_can_listen_and_both_directions_carry_data(bool guestListens)
    {
        await using LinkPair pair = new();
        (MuxLink listening, MuxLink connecting) = guestListens ? (pair.Guest, pair.Host) : (pair.Host, pair.Guest);
        (IVchan client, IVchan server) = await VchanTesting.JoinAsync(connecting, 0, listening, 0, 512);
        await using (client)
        await using (server)
        {
            byte[] buffer = new byte[16];
            await client.WriteAsync("question"u8.ToArray());
            Assert.Equal("question"u8.ToArray(), buffer[..await server.ReadAsync(buffer)]);
            await server.WriteAsync("answer"u8.ToArray());
            Assert.Equal("answer"u8.ToArray(), buffer[..await client.ReadAsync(buffer)]);
        }
    }

    [Fact]
    public async Task A_connect_waits_for_its_listener()
    {
        await using LinkPair pair = new();
        Task<IVchan> connecting = pair.Guest.ConnectAsync(0, 513).AsTask();
        await pair.EstablishedAsync();
        await pair.Guest.PingAsync().WaitAsync(Patience);
        Assert.False(connecting.IsCompleted);
        await using IVchanListener listener = await pair.Host.ListenAsync(0, 513);
        await using IVchan server = await listener.AcceptAsync().AsTask().WaitAsync(Patience);
        await using IVchan client = await connecting.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_connect_given_up_is_never_accepted()
    {
        await using LinkPair pair = new();
        await pair.EstablishedAsync();
        using CancellationTokenSource giveUp = new();
        Task<IVchan> first = pair.Guest.ConnectAsync(0, 513, giveUp.Token).AsTask();
        await pair.Guest.PingAsync().WaitAsync(Patience);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Task<IVchan> second = pair.Guest.ConnectAsync(0, 513).AsTask();
        await pair.Guest.PingAsync().WaitAsync(Patience);
        await using IVchanListener listener = await pair.Host.ListenAsync(0, 513);
        await using IVchan server = await listener.AcceptAsync().AsTask().WaitAsync(Patience);
        await using IVchan client = await second.WaitAsync(Patience);
        await client.WriteAsync(new byte[] { 7 });
        byte[] buffer = new byte[1];
        Assert.Equal(1, await server.ReadAsync(buffer).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task A_port_is_listened_on_once()
    {
        await using LinkPair pair = new();
        await using IVchanListener first = await pair.Host.ListenAsync(0, 513);
        await Assert.ThrowsAsync<VchanException>(() => pair.Host.ListenAsync(0, 513).AsTask());
        await using IVchanListener other = await pair.Host.ListenAsync(8, 513);
        await first.DisposeAsync();
        await using IVchanListener again = await pair.Host.ListenAsync(0, 513);
    }

    [Fact]
    public async Task A_half_closed_stream_still_carries_the_other_direction()
    {
        await using LinkPair pair = new();
        (IVchan client, IVchan server) = await VchanTesting.JoinAsync(pair.Host, 0, pair.Guest, 0, 513);
        await client.CompleteWritesAsync();
        byte[] buffer = new byte[8];
        Assert.Equal(0, await server.ReadAsync(buffer).AsTask().WaitAsync(Patience));
        await server.WriteAsync(new byte[] { 1, 2, 3 });
        await server.DisposeAsync();
        Assert.Equal(3, await client.ReadAsync(buffer).AsTask().WaitAsync(Patience));
        Assert.Equal(0, await client.ReadAsync(buffer).AsTask().WaitAsync(Patience));
        await client.DisposeAsync();
    }

    [Fact]
    public async Task What_was_written_before_the_close_arrives()
    {
        await using LinkPair pair = new();
        (IVchan client, IVchan server) = await VchanTesting.JoinAsync(pair.Guest, 0, pair.Host, 0, 513);
        byte[] sent = await VchanTesting.SendAsync(client, 1, 60_000);
        await client.DisposeAsync();
        (byte[] received, long length) = await VchanTesting.ReceiveAsync(server);
        Assert.Equal(60_000, length);
        Assert.Equal(sent, received);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_writer_learns_that_its_peer_has_closed()
    {
        await using LinkPair pair = new();
        (IVchan client, IVchan server) = await VchanTesting.JoinAsync(pair.Guest, 0, pair.Host, 0, 513);
        await server.DisposeAsync();
        await client.Closed.WaitAsync(Patience);
        await Assert.ThrowsAsync<VchanClosedException>(() => client.WriteAsync(new byte[1]).AsTask());
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_stalled_reader_holds_up_neither_other_streams_nor_memory()
    {
        await using LinkPair pair = new();
        (IVchan stalledClient, IVchan stalledServer) = await VchanTesting.JoinAsync(pair.Guest, 0, pair.Host, 0, 513);
        (IVchan client, IVchan server) = await VchanTesting.JoinAsync(pair.Guest, 0, pair.Host, 0, 514);
        const long Much = 4 * 1024 * 1024;
        Task<byte[]> blocked = Task.Run(() => VchanTesting.SendAsync(stalledClient, 2, Much));
        Task<byte[]> sending = Task.Run(() => VchanTesting.SendAsync(client, 3, Much));
        (byte[] received, long length) = await VchanTesting.ReceiveAsync(server);
        Assert.Equal(Much, length);
        Assert.Equal(await sending.WaitAsync(Patience), received);
        Assert.False(blocked.IsCompleted);
        (received, length) = await VchanTesting.ReceiveAsync(stalledServer);
        Assert.Equal(Much, length);
        Assert.Equal(await blocked.WaitAsync(Patience), received);
    }

    [Fact]
    public async Task A_hundred_streams_run_at_once_in_random_pieces()
    {
        int seed = 1;
        await using LinkPair pair = new(wrap: inner => new ChunkedStream(inner, seed++, 5000));
        Task[] transfers = [.. Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
        {
            bool guestListens = i % 2 == 0;
            (IVchan client, IVchan server) = await VchanTesting.JoinAsync(
                guestListens ? pair.Host : pair.Guest, 0, guestListens ? pair.Guest : pair.Host, 0, 513 + (uint)i);
            Task<byte[]> forth = VchanTesting.SendAsync(client, i, 200_000 + i);
            Task<byte[]> back = VchanTesting.SendAsync(server, 1000 + i, 100_000 + i);
            Task<(byte[] Hash, long Length)> atServer = VchanTesting.ReceiveAsync(server);
            Task<(byte[] Hash, long Length)> atClient = VchanTesting.ReceiveAsync(client);
            Assert.Equal(await forth, (await atServer).Hash);
            Assert.Equal(await back, (await atClient).Hash);
            await client.DisposeAsync();
            await server.DisposeAsync();
        }))];
        await Task.WhenAll(transfers).WaitAsync(Patience);
    }

    [Fact]
    public async Task Many_bytes_arrive_intact()
    {
        await using LinkPair pair = new();
        (IVchan client, IVchan server) = await VchanTesting.JoinAsync(pair.Guest, 0, pair.Host, 0, 513);
        const long Many = 256L * 1024 * 1024;
        Task<byte[]> sending = Task.Run(() => VchanTesting.SendAsync(client, 4, Many, 200_000));
        (byte[] received, long length) = await VchanTesting.ReceiveAsync(server);
        Assert.Equal(Many, length);
        Assert.Equal(await sending, received);
    }

    [Fact]
    public async Task Streams_beyond_the_limit_are_refused()
    {
        await using LinkPair pair = new(hostOptions: new MuxOptions { MaxStreams = 4 });
        await pair.EstablishedAsync();
        Task<IVchan>[] fit = [.. Enumerable.Range(0, 4).Select(i => pair.Guest.ConnectAsync(0, 600 + (uint)i).AsTask())];
        await pair.Guest.PingAsync().WaitAsync(Patience);
        Assert.All(fit, waiting => Assert.False(waiting.IsCompleted));
        await Assert.ThrowsAsync<VchanException>(() => pair.Guest.ConnectAsync(0, 700).AsTask());
        Assert.True(pair.Host.IsEstablished);
    }

    [Fact]
    public Task Any_cutting_of_two_transfers_delivers_them_intact() =>
        Gen.Select(Gen.Int[1, 3000], Gen.Int[0, 120_000], Gen.Int[0, 120_000], Gen.Int[1024, 40_000], Gen.Int[0, 1000])
            .SampleAsync(TransferAsync, iter: 40);

    private static async Task TransferAsync(int largest, int forthLength, int backLength, int window, int seed)
    {
        MuxOptions options = new() { ReceiveWindow = window, SendBuffer = 1000 + seed };
        int streams = seed;
        await using LinkPair pair = new(options, wrap: inner => new ChunkedStream(inner, streams++, largest));
        (IVchan client, IVchan server) = await VchanTesting.JoinAsync(pair.Guest, 0, pair.Host, 0, 513);
        Task<byte[]> forth = VchanTesting.SendAsync(client, seed, forthLength);
        Task<byte[]> back = VchanTesting.SendAsync(server, seed + 1, backLength);
        Task<(byte[] Hash, long Length)> atServer = VchanTesting.ReceiveAsync(server);
        (byte[] Hash, long Length) atClient = await VchanTesting.ReceiveAsync(client);
        Assert.Equal(await forth, (await atServer).Hash);
        Assert.Equal(await back, atClient.Hash);
        Assert.Equal(backLength, atClient.Length);
    }
}
