using System.Text;
using Qubes.Admin.Server;
using Qubes.Protocol.Admin;

using Qubes.Testing;

namespace Qubes.Admin.Tests.Server;

public sealed class AdminServerTests
{
    private static void Echo(AdminConnection connection, ReadOnlySpan<byte> request) => connection.Reply(request);

    [Fact]
    public async Task A_request_is_answered_after_the_end_of_its_input()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync(Echo);
        Assert.Equal("m+ dom0 name dom0\0", await RawClient.CallAsync(fixture.SocketPath, "m+ dom0 name dom0\0"));
    }

    [Fact]
    public async Task A_request_in_single_bytes_arrives_whole()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync(Echo);
        using RawClient client = await RawClient.ConnectAsync(fixture.SocketPath);
        foreach (char c in "admin.vm.List+ dom0 name dom0\0payload")
        {
            await client.SendAsync(c.ToString());
        }

        client.FinishOutput();
        Assert.Equal("admin.vm.List+ dom0 name dom0\0payload", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_request_of_the_greatest_length_is_accepted()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync(Echo);
        string request = new('x', AdminLimits.MaxRequestBytes);
        Assert.Equal(request, await RawClient.CallAsync(fixture.SocketPath, request));
    }

    [Theory]
    [InlineData(65537)]
    [InlineData(200_000)]
    [InlineData(600_000)]
    public async Task A_longer_request_is_refused_with_a_reply(int length)
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync((_, _) => Assert.Fail("dispatched"));
        Assert.Equal("2\0QubesDaemonCommunicationError\0\0request too long (max 65536 bytes)\0",
            await RawClient.CallAsync(fixture.SocketPath, new string('x', length)));
    }

    [Fact]
    public async Task A_caller_that_never_ends_is_refused_as_soon_as_it_sent_too_much()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync((_, _) => Assert.Fail("dispatched"));
        using RawClient client = await RawClient.ConnectAsync(fixture.SocketPath);
        await client.SendAsync(new byte[AdminLimits.MaxRequestBytes + 1]);
        Assert.StartsWith("2\0QubesDaemonCommunicationError\0", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_is_not_completed_in_time_is_refused()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync(
            (_, _) => Assert.Fail("dispatched"), new AdminServerLimits { ClientDeadline = TimeSpan.FromMilliseconds(100) });
        using RawClient client = await RawClient.ConnectAsync(fixture.SocketPath);
        await client.SendAsync("admin.vm.List+ dom0");
        Assert.Equal("2\0QubesDaemonCommunicationError\0\0request not completed in time\0", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task The_oldest_unfinished_request_gives_way_to_new_ones()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync(Echo, new AdminServerLimits { UnfinishedRequests = 3 });
        List<RawClient> idle = [];
        for (int i = 0; i < 4; i++)
        {
            idle.Add(await RawClient.ConnectAsync(fixture.SocketPath));
        }

        Assert.Equal("2\0QubesDaemonCommunicationError\0\0too many unfinished requests\0", await idle[0].ReadToEndAsync());
        await idle[3].SendAsync("x");
        idle[3].FinishOutput();
        Assert.Equal("x", await idle[3].ReadToEndAsync());
        idle.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task A_thousand_idle_connections_do_not_keep_others_out()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync(Echo);
        List<RawClient> idle = [];
        for (int i = 0; i < 1000; i++)
        {
            idle.Add(await RawClient.ConnectAsync(fixture.SocketPath));
        }

        for (int i = 0; i < 100; i++)
        {
            Assert.Equal("x", await RawClient.CallAsync(fixture.SocketPath, "x"));
        }

        idle.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task A_half_close_is_no_hang_up()
    {
        TaskCompletionSource<AdminConnection> dispatched = new();
        await using ServerFixture fixture = await ServerFixture.StartAsync((connection, _) => dispatched.TrySetResult(connection));
        using RawClient client = await RawClient.ConnectAsync(fixture.SocketPath);
        await client.SendAsync("x");
        client.FinishOutput();
        AdminConnection connection = await dispatched.Task.WaitAsync(RawClient.Patience);

        // A second call passes through the loop, which has by then looked at the first connection again.
        using RawClient other = await RawClient.ConnectAsync(fixture.SocketPath);
        Assert.True(await fixture.Loop.InvokeAsync(() => connection.IsOpen));
        await fixture.Loop.InvokeAsync(() => connection.Reply("late"u8));
        Assert.Equal("late", await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_caller_that_hangs_up_is_noticed()
    {
        TaskCompletionSource gone = new();
        TaskCompletionSource dispatched = new();
        await using ServerFixture fixture = await ServerFixture.StartAsync((connection, _) =>
        {
            connection.Disconnected = gone.SetResult;
            dispatched.SetResult();
        });
        using (RawClient client = await RawClient.ConnectAsync(fixture.SocketPath))
        {
            await client.SendAsync("x");
            client.FinishOutput();
            await dispatched.Task.WaitAsync(RawClient.Patience);
        }

        await gone.Task.WaitAsync(RawClient.Patience);
        Assert.Equal(0, await fixture.Loop.InvokeAsync(() => fixture.Server.ConnectionCount));
    }

    [Fact]
    public async Task An_abandoned_request_leaves_nothing_behind()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync(Echo);
        using (RawClient client = await RawClient.ConnectAsync(fixture.SocketPath))
        {
            await client.SendAsync("half");
        }

        Assert.Equal("x", await RawClient.CallAsync(fixture.SocketPath, "x"));
        Assert.Equal(0, await fixture.Loop.InvokeAsync(() => fixture.Server.ConnectionCount));
    }

    [Fact]
    public async Task A_reply_larger_than_the_sockets_buffer_arrives_whole()
    {
        byte[] reply = new byte[3_000_000];
        Random.Shared.NextBytes(reply);
        await using ServerFixture fixture = await ServerFixture.StartAsync((connection, _) => connection.Reply(reply));
        Assert.Equal(Encoding.Latin1.GetString(reply), await RawClient.CallAsync(fixture.SocketPath, "x"));
    }

    [Fact]
    public async Task A_reader_that_does_not_take_its_reply_is_closed_after_the_deadline()
    {
        TaskCompletionSource dispatched = new();
        await using ServerFixture fixture = await ServerFixture.StartAsync(
            (connection, _) =>
            {
                connection.Reply(new byte[3_000_000]);
                dispatched.SetResult();
            },
            new AdminServerLimits { ClientDeadline = TimeSpan.FromMilliseconds(100) });
        using RawClient client = await RawClient.ConnectAsync(fixture.SocketPath);
        await client.SendAsync("x");
        client.FinishOutput();
        await dispatched.Task.WaitAsync(RawClient.Patience);
        Task<bool> closed = fixture.Loop.InvokeAsync(async () =>
        {
            while (fixture.Server.ConnectionCount > 0)
            {
                await Task.Yield();
            }

            return true;
        });
        Assert.True(await closed.WaitAsync(RawClient.Patience));
    }

    [Fact]
    public async Task A_stream_arrives_in_order_and_ends_with_its_reply()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync((connection, _) =>
        {
            connection.Stream("one "u8);
            connection.Stream("two "u8);
            connection.Reply("end"u8);
        });
        Assert.Equal("one two end", await RawClient.CallAsync(fixture.SocketPath, "x"));
    }

    [Fact]
    public async Task A_subscriber_that_falls_behind_is_disconnected()
    {
        TaskCompletionSource gone = new();
        await using ServerFixture fixture = await ServerFixture.StartAsync(
            (connection, _) =>
            {
                connection.Disconnected = gone.SetResult;
                for (int i = 0; connection.IsOpen && i < 10_000; i++)
                {
                    connection.Stream(new byte[1000]);
                }
            });
        using RawClient client = await RawClient.ConnectAsync(fixture.SocketPath);
        await client.SendAsync("x");
        client.FinishOutput();
        await gone.Task.WaitAsync(RawClient.Patience);
    }

    [Fact]
    public async Task A_slow_subscriber_within_the_bound_gets_everything()
    {
        await using ServerFixture fixture = await ServerFixture.StartAsync((connection, _) =>
        {
            for (int i = 0; i < 1000; i++)
            {
                connection.Stream(Encoding.ASCII.GetBytes($"{i:D999}\n"));
            }
        });
        using RawClient client = await RawClient.ConnectAsync(fixture.SocketPath);
        await client.SendAsync("x");
        client.FinishOutput();
        string[] lines = (await client.ReadExactlyAsync(1_000_000)).Split('\n');
        Assert.Equal(Enumerable.Range(0, 1000), lines.SkipLast(1).Select(int.Parse));
    }

    [Fact]
    public async Task A_stop_waits_for_running_calls_but_not_for_half_requests()
    {
        TaskCompletionSource<AdminConnection> dispatched = new();
        await using ServerFixture fixture = await ServerFixture.StartAsync((connection, _) => dispatched.SetResult(connection));
        using RawClient running = await RawClient.ConnectAsync(fixture.SocketPath);
        await running.SendAsync("x");
        running.FinishOutput();
        using RawClient half = await RawClient.ConnectAsync(fixture.SocketPath);
        await half.SendAsync("half");
        AdminConnection connection = await dispatched.Task.WaitAsync(RawClient.Patience);

        Task stopped = Task.CompletedTask;
        await fixture.Loop.InvokeAsync(() =>
        {
            stopped = fixture.Server.StopAcceptingAsync();
        });
        Assert.False(stopped.IsCompleted);
        Assert.Equal("", await half.ReadToEndAsync());
        await fixture.Loop.InvokeAsync(() => connection.Reply("done"u8));
        Assert.Equal("done", await running.ReadToEndAsync());
        await stopped.WaitAsync(RawClient.Patience);
        Assert.False(File.Exists(fixture.SocketPath));
    }
}
