using System.Text;
using Qubes.Linux;
using Qubes.Qrexec.QubesDb.Tools;

namespace Qubes.Qrexec.Tests.QubesDb;

/// <summary>The qubesdb-* tools against a real daemon: what they print and how they end, as upstream's do.</summary>
public sealed class QubesDbToolTests
{
    [Fact]
    public async Task Values_are_written_read_and_removed()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        Assert.Equal(0, await StatusAsync(host, "qubesdb-write", "/a", "1", "/b/c", "2"));
        Assert.Equal("1\n2\n", await OutputAsync(host, "qubesdb-read", "/a", "/b/c"));
        Assert.Equal("/a = 1\n", await OutputAsync(host, "qubesdb-read", "-f", "/a"));
        Assert.Equal("/a\n/b/c\n", await OutputAsync(host, "qubesdb-list", "-f", "/"));
        Assert.Equal("c\n", await OutputAsync(host, "qubesdb-list", "/b/"));
        Assert.Equal("c = 2\n", await OutputAsync(host, "qubesdb-multiread", "/b/"));
        Assert.Equal("1\n", await OutputAsync(host, "qubesdb-cmd", "-c", "read", "-x", "/a"));
        Assert.Equal(0, await StatusAsync(host, "qubesdb-rm", "/b/", "/none"));
        Assert.Equal("", await OutputAsync(host, "qubesdb-list", "/"));
    }

    [Fact]
    public async Task What_is_not_there_is_told_by_status_2_or_its_default()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        (int status, string output, string error) = await RunAsync(host, "qubesdb-read", "/none");
        Assert.Equal((2, "", "Failed to read /none\n"), (status, output, error));
        Assert.Equal((2, "", ""), await RunAsync(host, "qubesdb-read", "-q", "/none"));
        Assert.Equal("given\n", await OutputAsync(host, "qubesdb-read", "--default=given", "/none"));
        Assert.Equal(1, await StatusAsync(host, "qubesdb-read", "/no such path"));
    }

    [Fact]
    public async Task What_cannot_be_printed_is_escaped_unless_asked_for_as_it_is()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        await StatusAsync(host, "qubesdb-write", "/a", "ä\n");
        Assert.Equal("\\xc3\\xa4\\x0a\n", await OutputAsync(host, "qubesdb-read", "/a"));
        Assert.Equal("ä\n\n", await OutputAsync(host, "qubesdb-read", "-r", "/a"));
    }

    [Fact]
    public async Task A_reader_that_waits_gets_the_value_once_it_is_written()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        Task<string> waiting = OutputAsync(host, "qubesdb-read", "-w", "/late");
        await StatusAsync(host, "qubesdb-write", "/late", "come");
        Assert.Equal("come\n", await waiting.WaitAsync(RawClient.Patience));
    }

    [Fact]
    public async Task A_watch_ends_after_as_many_changes_as_were_asked_for()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        using RawClient writer = await host.WriterAsync();
        AnonymousPipe pipe = AnonymousPipe.Create();
        await using Stream output = pipe.OpenWriter();
        using StreamReader reader = new(pipe.OpenReader());
        Task<int> watching = QubesDbTool.RunAsync(
            "qubesdb-watch", ["-d", "work", "-n", "2", "/a", "/b/"], output, TextWriter.Null, host.HostPaths);
        Task<string?> first = reader.ReadLineAsync();
        while (!first.IsCompleted)
        {
            await writer.WriteAsync("/a", "");
        }

        Assert.Equal("/a", await first);
        await writer.WriteAsync("/b/x", "");
        Assert.Equal(0, await watching.WaitAsync(RawClient.Patience));
    }

    [Fact]
    public async Task A_qube_without_a_database_and_a_command_that_is_none_are_failures()
    {
        await using DatabaseHost host = await DatabaseHost.StartAsync();
        StringWriter error = new();
        Assert.Equal(1, await QubesDbTool.RunAsync("qubesdb-read", ["-d", "other", "/a"], Stream.Null, error, host.HostPaths));
        Assert.Equal("Failed connect to other daemon\n", error.ToString());
        Assert.Equal(1, await StatusAsync(host, "qubesdb-cmd", "-c", "nothing"));
        Assert.Equal(1, await StatusAsync(host, "qubesdb-write", "/a"));
        Assert.Equal(0, (await RunAsync(host, "qubesdb-read", "-h")).Status);
    }

    private static async Task<int> StatusAsync(DatabaseHost host, string tool, params string[] arguments) =>
        (await RunAsync(host, tool, arguments)).Status;

    private static async Task<string> OutputAsync(DatabaseHost host, string tool, params string[] arguments)
    {
        (int status, string output, string error) = await RunAsync(host, tool, arguments);
        Assert.True(status == 0, error);
        return output;
    }

    private static async Task<(int Status, string Output, string Error)> RunAsync(DatabaseHost host, string tool, params string[] arguments)
    {
        using MemoryStream output = new();
        StringWriter error = new() { NewLine = "\n" };
        string[] all = arguments is ["-c", ..] ? [.. arguments[..2], "-d", "work", .. arguments[2..]] : ["-d", "work", .. arguments];
        int status = await QubesDbTool.RunAsync(tool, all, output, error, host.HostPaths).WaitAsync(RawClient.Patience);
        return (status, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
