using CsCheck;
using Qubes.Protocol.QubesDb;
using static Qubes.Protocol.QubesDb.QubesDbMessageType;

namespace Qubes.Qrexec.Tests.QubesDb;

/// <summary>What a local client of a QubesDB daemon is answered, message by message.</summary>
public sealed class DatabaseClientTests
{
    [Fact]
    public async Task A_written_value_is_read_again_until_it_is_removed()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient client = await host.WriterAsync();
        Assert.Equal((NotFound, "/a", ""), await client.CallAsync(Read, "/a"));
        Assert.Equal((Ok, "/a", ""), await client.CallAsync(Write, "/a", "1"));
        Assert.Equal((ReadAnswer, "/a", "1"), await client.CallAsync(Read, "/a"));
        Assert.Equal((Ok, "/a", ""), await client.CallAsync(Write, "/a"));
        Assert.Equal((ReadAnswer, "/a", ""), await client.CallAsync(Read, "/a"));
        Assert.Equal((Ok, "/a", ""), await client.CallAsync(Remove, "/a"));
        Assert.Equal((NotFound, "/a", ""), await client.CallAsync(Remove, "/a"));
    }

    [Fact]
    public async Task Listings_are_sorted_and_take_any_beginning()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient client = await host.WriterAsync();
        foreach (string path in (string[])["/b", "/a/2", "/a", "/a/10", "/ab"])
        {
            await client.WriteAsync(path, "v" + path);
        }

        Assert.Equal(["/a", "/a/10", "/a/2", "/ab"], (await client.ReadAllAsync(List, "/a")).Select(entry => entry.Path));
        Assert.Equal([("/a/10", "v/a/10"), ("/a/2", "v/a/2")], await client.ReadAllAsync(MultiRead, "/a/"));
        Assert.Empty(await client.ReadAllAsync(List, "/c"));
        Assert.Equal(5, (await client.ReadAllAsync(List, "")).Count);
    }

    [Fact]
    public async Task A_directory_is_removed_without_the_entry_of_its_name()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient client = await host.WriterAsync();
        foreach (string path in (string[])["/d", "/d/1", "/d/2/3", "/dd"])
        {
            await client.WriteAsync(path, "");
        }

        Assert.Equal(Ok, (await client.CallAsync(Remove, "/d/"))?.Type);
        Assert.Equal(["/d", "/dd"], (await client.ReadAllAsync(List, "")).Select(entry => entry.Path));
        Assert.Equal(NotFound, (await client.CallAsync(Remove, "/d/"))?.Type);
    }

    [Fact]
    public async Task The_socket_for_reading_refuses_changes_and_stays_usable()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient writer = await host.WriterAsync();
        await writer.WriteAsync("/a", "1");
        using RawClient reader = await host.ReaderAsync();
        Assert.Equal(Error, (await reader.CallAsync(Write, "/a", "2"))?.Type);
        Assert.Equal(Error, (await reader.CallAsync(Remove, "/a"))?.Type);
        Assert.Equal("1", await reader.ReadAsync("/a"));
        Assert.Equal(Ok, (await reader.CallAsync(Watch, "/a"))?.Type);
    }

    [Fact]
    public async Task A_change_is_told_after_its_answer_to_whoever_watches_that_path_or_what_is_above_it()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient writer = await host.WriterAsync();
        using RawClient watcher = await host.ReaderAsync();
        Assert.Equal(Ok, (await watcher.CallAsync(Watch, "/a/"))?.Type);
        Assert.Equal(Ok, (await writer.CallAsync(Watch, "/a/1"))?.Type);
        Assert.Equal(Ok, (await writer.CallAsync(Write, "/a/1", "x"))?.Type);
        Assert.Equal((Changed, "/a/1", ""), await writer.ReceiveAsync());
        Assert.Equal((Changed, "/a/1", ""), await watcher.ReceiveAsync());
        await writer.WriteAsync("/a", "not below");
        await writer.WriteAsync("/a/2", "");
        Assert.Equal((Changed, "/a/2", ""), await watcher.ReceiveAsync());
        Assert.Equal(Ok, (await writer.CallAsync(Remove, "/a/"))?.Type);
        Assert.Equal((Changed, "/a/", ""), await watcher.ReceiveAsync());
    }

    [Fact]
    public async Task A_watch_made_twice_tells_twice_and_is_taken_back_one_by_one()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient client = await host.WriterAsync();
        await client.CallAsync(Watch, "/w");
        await client.CallAsync(Watch, "/w");
        Assert.Equal(Ok, (await client.CallAsync(Write, "/w"))?.Type);
        Assert.Equal(Changed, (await client.ReceiveAsync())?.Type);
        Assert.Equal(Changed, (await client.ReceiveAsync())?.Type);
        Assert.Equal(Ok, (await client.CallAsync(Unwatch, "/w"))?.Type);
        Assert.Equal(Ok, (await client.CallAsync(Write, "/w"))?.Type);
        Assert.Equal(Changed, (await client.ReceiveAsync())?.Type);
        Assert.Equal(Ok, (await client.CallAsync(Unwatch, "/w"))?.Type);
        Assert.Equal(NotFound, (await client.CallAsync(Unwatch, "/w"))?.Type);
        Assert.Equal(Ok, (await client.CallAsync(Write, "/w"))?.Type);
        Assert.Equal(NotFound, (await client.CallAsync(Read, "/none"))?.Type);
    }

    [Theory]
    [InlineData(200, "/a", 0)]
    [InlineData((int)Ok, "/a", 0)]
    [InlineData((int)Changed, "/a", 0)]
    [InlineData((int)Read, "/a", 5)]
    [InlineData((int)Write, "/a", 3072)]
    [InlineData((int)Write, "/a", 100_000)]
    [InlineData((int)Write, "/a b", 4)]
    public async Task A_message_that_is_none_is_skipped_and_refused_and_the_next_one_is_served(int type, string path, int length)
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient client = await host.WriterAsync();
        byte[] message = QubesDbHeader.Message((QubesDbMessageType)type, "", new byte[length]);
        System.Text.Encoding.ASCII.GetBytes(path, message.AsSpan(1));
        await client.SendAsync(message);
        Assert.Equal(Error, (await client.ReceiveAsync())?.Type);
        Assert.Equal(NotFound, (await client.CallAsync(Read, "/a"))?.Type);
    }

    [Fact]
    public async Task A_value_with_a_zero_byte_is_refused_and_the_longest_one_is_kept()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient client = await host.WriterAsync();
        Assert.Equal(Error, (await client.CallAsync(Write, "/a", "x\0y"))?.Type);
        await client.WriteAsync("/a", new string('x', 3071));
        Assert.Equal(3071, (await client.ReadAsync("/a"))!.Length);
    }

    [Theory]
    [InlineData("/a/")]
    [InlineData("a")]
    [InlineData("")]
    public async Task A_path_no_entry_can_have_ends_the_connection_after_the_answer(string path)
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient client = await host.WriterAsync();
        Assert.Equal(Error, (await client.CallAsync(Write, path, "x"))?.Type);
        Assert.Null(await client.ReceiveAsync());
        using RawClient next = await host.WriterAsync();
        await next.WriteAsync("/a", "");
    }

    [Fact]
    public async Task A_claim_of_more_than_anybody_sends_ends_the_connection()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient client = await host.WriterAsync();
        byte[] message = QubesDbHeader.Message(Write, "/a");
        message.AsSpan(68, 4).Fill(0xFF);
        await client.SendAsync(message);
        Assert.Equal(Error, (await client.ReceiveAsync())?.Type);
        Assert.Null(await client.ReceiveAsync());
    }

    [Fact]
    public async Task The_sockets_of_the_host_are_for_owner_and_group_unless_said_otherwise()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        Assert.Equal((UnixFileMode)0b110_110_000, File.GetUnixFileMode(host.HostPaths.QubesDbSocket("work")));
        await using DatabaseHost open = await DatabaseHost.StartAsync("--rw-socket-perms=622");
        Assert.Equal((UnixFileMode)0b110_010_010, File.GetUnixFileMode(open.HostPaths.QubesDbSocket("work")));
    }

    [Fact]
    public async Task Any_sequence_of_requests_leaves_what_a_simple_dictionary_would()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient client = await host.WriterAsync();
        Gen<(int Kind, string Path)> step = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 5].Select(i => ((string[])["/a", "/a/b", "/a/b/c", "/ab", "/b", "/b/x"])[i]));
        await Gen.Select(Gen.Bool, step.Array[1, 30]).SampleAsync(
            async (_, steps) =>
            {
                await client.CallAsync(Remove, "/");
                SortedDictionary<string, string> model = new(StringComparer.Ordinal);
                for (int i = 0; i < steps.Length; i++)
                {
                    (int kind, string path) = steps[i];
                    if (kind < 2)
                    {
                        await client.WriteAsync(path, model[path] = $"{i}");
                    }
                    else
                    {
                        string target = kind == 2 ? path : path + "/";
                        string[] gone = [.. model.Keys.Where(key => kind == 2 ? key == path : key.StartsWith(target, StringComparison.Ordinal))];
                        Array.ForEach(gone, key => model.Remove(key));
                        Assert.Equal(gone.Length > 0 ? Ok : NotFound, (await client.CallAsync(Remove, target))?.Type);
                    }
                }

                Assert.Equal(model.Select(entry => (entry.Key, entry.Value)), await client.ReadAllAsync(MultiRead, "/"));
            },
            iter: 100, threads: 1);
    }
}
