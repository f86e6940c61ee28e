using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.QubesDb;
using Qubes.Qrexec.QubesDb.Tools;
using Qubes.Qrexec.Vchan;
using static Qubes.Protocol.QubesDb.QubesDbMessageType;

namespace Qubes.Qrexec.Tests.QubesDb;

/// <summary>The host's database and a qube's copy, over a real vchan; and a qube that does not keep to the rules.</summary>
public sealed class DatabaseLinkTests
{
    [Fact]
    public async Task A_qube_starts_with_what_the_host_has_written_before()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient writer = await host.WriterAsync();
        await writer.WriteAsync("/name", "work");
        await writer.WriteAsync("/type", "AppVM");
        await host.StartQubeAsync();
        using RawClient inside = await host.QubeAsync();
        Assert.Equal([("/name", "work"), ("/type", "AppVM")], await inside.ReadAllAsync(MultiRead, "/"));
    }

    [Fact]
    public async Task A_change_on_either_side_reaches_the_watchers_of_the_other()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        await host.StartQubeAsync();
        using RawClient outside = await host.WriterAsync();
        using RawClient inside = await host.QubeAsync();
        await outside.CallAsync(Watch, "/guest/");
        await inside.CallAsync(Watch, "/host");

        await inside.WriteAsync("/guest/1", "from inside");
        Assert.Equal((Changed, "/guest/1", ""), await outside.ReceiveAsync());
        Assert.Equal("from inside", await outside.ReadAsync("/guest/1"));

        await outside.WriteAsync("/host", "from outside");
        Assert.Equal((Changed, "/host", ""), await inside.ReceiveAsync());
        Assert.Equal("from outside", await inside.ReadAsync("/host"));

        Assert.Equal(Ok, (await inside.CallAsync(Remove, "/guest/"))?.Type);
        Assert.Equal((Changed, "/guest/", ""), await outside.ReceiveAsync());
        Assert.Null(await outside.ReadAsync("/guest/1"));
        Assert.Equal(Ok, (await outside.CallAsync(Remove, "/host"))?.Type);
        Assert.Equal((Changed, "/host", ""), await inside.ReceiveAsync());
    }

    [Fact]
    public async Task After_a_restart_of_the_hosts_daemon_both_sides_have_what_either_has_written()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        await host.StartQubeAsync();
        using RawClient inside = await host.QubeAsync();
        await inside.WriteAsync("/qubes-block-devices/sda/desc", "disk");
        await inside.CallAsync(Watch, "/name");
        await host.StopHostAsync();
        await host.StartHostAsync();
        using RawClient outside = await host.WriterAsync();
        await outside.WriteAsync("/name", "work");
        Assert.Equal((Changed, "/name", ""), await inside.ReceiveAsync());
        Assert.Equal("work", await inside.ReadAsync("/name"));
        int status = await QubesDbTool.RunAsync(
            "qubesdb-read", ["-d", "work", "-w", "/qubes-block-devices/sda/desc"], Stream.Null, TextWriter.Null, host.HostPaths).WaitAsync(RawClient.Patience);
        Assert.Equal(0, status);
        Assert.Equal("disk", await outside.ReadAsync("/qubes-block-devices/sda/desc"));
    }

    [Fact]
    public async Task The_whole_database_is_sent_last_entry_first_and_once()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient writer = await host.WriterAsync();
        await writer.WriteAsync("/a", "1");
        await writer.WriteAsync("/b", "2");
        await using IVchan guest = await ConnectAsync(host);
        await guest.WriteAsync(QubesDbHeader.Message(MultiRead));
        Assert.Equal("/b", (await ReceiveAsync(guest))?.Path);
        Assert.Equal("/a", (await ReceiveAsync(guest))?.Path);
        Assert.Equal("", (await ReceiveAsync(guest))?.Path);
        await guest.WriteAsync(QubesDbHeader.Message(MultiRead));
        Assert.Null(await ReceiveAsync(guest));
    }

    [Theory]
    [InlineData(Read, "/a")]
    [InlineData(List, "/a")]
    [InlineData(Watch, "/a")]
    [InlineData(Unwatch, "/a")]
    [InlineData(MultiRead, "/a")]
    [InlineData(MultiReadAnswer, "/a")]
    [InlineData(NotFound, "/a")]
    [InlineData(Write, "/a/")]
    [InlineData(Write, "")]
    [InlineData(Remove, "")]
    public async Task A_message_that_does_not_belong_on_the_link_ends_the_link_and_nothing_else(QubesDbMessageType type, string path)
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient writer = await host.WriterAsync();
        await using (IVchan guest = await ConnectAsync(host))
        {
            await guest.WriteAsync(QubesDbHeader.Message(type, path));
            Assert.Null(await ReceiveAsync(guest));
        }

        await writer.WriteAsync("/a", "still here");
        await host.StartQubeAsync();
        using RawClient inside = await host.QubeAsync();
        Assert.Equal("still here", await inside.ReadAsync("/a"));
    }

    [Fact]
    public async Task Random_bytes_end_the_link_only()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient writer = await host.WriterAsync();
        byte[] garbage = new byte[64 * 1024];
        new Random(1).NextBytes(garbage);
        await using (IVchan guest = await ConnectAsync(host))
        {
            try
            {
                await guest.WriteAsync(garbage);
            }
            catch (VchanClosedException)
            {
                // It did not want all of them.
            }

            while (await ReceiveAsync(guest) is not null)
            {
            }
        }

        await writer.WriteAsync("/a", "");
    }

    [Fact]
    public async Task A_guest_cannot_write_without_end_and_leaves_the_host_room()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient writer = await host.WriterAsync();
        await using IVchan guest = await ConnectAsync(host);
        byte[] value = new byte[QubesDbEntry.MaxValueLength];
        value.AsSpan().Fill((byte)'x');
        QubesDbMessageType answer = Ok;
        int written = 0;
        while (answer == Ok)
        {
            await guest.WriteAsync(QubesDbHeader.Message(Write, $"/flood/{written}", value));
            answer = (await ReceiveAsync(guest))!.Value.Type;
            written += answer == Ok ? 1 : 0;
        }

        Assert.Equal(Error, answer);
        Assert.InRange(written * value.Length, QubesDbLimits.FromGuest / 2, QubesDbLimits.FromGuest);
        await writer.WriteAsync("/host", "has room");

        // A guest that is at its limit can make room.
        await guest.WriteAsync(QubesDbHeader.Message(Remove, "/flood/"));
        Assert.Equal(Ok, (await ReceiveAsync(guest))?.Type);
        await guest.WriteAsync(QubesDbHeader.Message(Write, "/again", value));
        Assert.Equal(Ok, (await ReceiveAsync(guest))?.Type);
    }

    [Fact]
    public async Task A_guest_that_floods_is_slowed_to_the_pace_of_those_who_watch_and_others_go_on()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient watcher = await host.ReaderAsync();
        await watcher.CallAsync(Watch, "/flood");
        await using IVchan guest = await ConnectAsync(host);
        const int Count = 20_000;
        Task flooding = Task.Run(async () =>
        {
            byte[] message = QubesDbHeader.Message(Write, "/flood", "x"u8);
            for (int i = 0; i < Count; i++)
            {
                await guest.WriteAsync(message);
            }
        });
        Task answers = Task.Run(async () =>
        {
            for (int i = 0; i < Count; i++)
            {
                Assert.Equal(Ok, (await ReceiveAsync(guest))?.Type);
            }
        });

        using RawClient other = await host.WriterAsync();
        await other.WriteAsync("/other", "served");
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal((Changed, "/flood", ""), await watcher.ReceiveAsync());
        }

        await Task.WhenAll(flooding, answers).WaitAsync(RawClient.Patience);
    }

    [Fact]
    public async Task Both_sides_may_remove_the_same_entry_at_once()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        await using IVchan guest = await ConnectAsync(host);
        await guest.WriteAsync(QubesDbHeader.Message(Remove, "/none"));
        Assert.Equal(Ok, (await ReceiveAsync(guest))?.Type);
        await guest.WriteAsync(QubesDbHeader.Message(Write, "/a", "1"u8));
        Assert.Equal(Ok, (await ReceiveAsync(guest))?.Type);
    }

    private static async Task<IVchan> ConnectAsync(DatabaseHost host) =>
        await host.GuestTransport.ConnectAsync(0, QubesDbPort.Number).AsTask().WaitAsync(RawClient.Patience);

    private static async Task<QubesDbHeader?> ReceiveAsync(IVchan guest)
    {
        byte[] bytes = new byte[QubesDbHeader.Size];
        try
        {
            if (!await guest.TryReadExactlyAsync(bytes).AsTask().WaitAsync(RawClient.Patience))
            {
                return null;
            }
        }
        catch (VchanClosedException)
        {
            return null;
        }

        QubesDbHeader header = QubesDbHeader.Read(bytes);
        await guest.ReadExactlyAsync(new byte[header.DataLength]).AsTask().WaitAsync(RawClient.Patience);
        return header;
    }
}
