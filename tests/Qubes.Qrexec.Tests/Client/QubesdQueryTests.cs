using System.Text;
using Qubes.Qrexec.Client;
using Qubes.Qrexec.Tests.Daemon;

namespace Qubes.Qrexec.Tests.Client;

public sealed class QubesdQueryTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("0\0ok", "", 0, "0\0ok")]
    [InlineData("0\0ok", "--fail", 0, "0\0ok")]
    [InlineData("1\0ev", "--fail", 1, "1\0ev")]
    [InlineData("2\0QubesException\0\0no\0", "--fail", 2, "2\0QubesException\0\0no\0")]
    [InlineData("2\0QubesException\0\0no\0", "--null", 0, "2\0QubesException\0\0no\0\0")]
    [InlineData("0\0ok", "--null --fail", 0, "0\0ok")]
    [InlineData("", "", 0, "")]
    [InlineData("", "--fail", 1, "")]
    [InlineData("x\0ok", "--fail", 1, "")]
    public async Task The_reply_is_copied_and_its_kind_is_the_status_if_asked(string reply, string options, int status, string expected)
    {
        await using FakeServer qubesd = Server(reply);
        (int code, string output, _) = await RunAsync(options, "payload\0more", "mgmt admin.vm.X work arg");
        Assert.Equal((status, expected), (code, output));
        Assert.Equal("admin.vm.X+arg mgmt name work\0payload\0more", await qubesd.NextRequestAsync());
    }

    [Theory]
    [InlineData("-e", "ignored", "dom0 admin.vm.List dom0", "admin.vm.List+ dom0 name dom0\0")]
    [InlineData("--single-line", "one line\nrest", "dom0 m work", "m+ dom0 name work\0one line")]
    public async Task The_payload_can_be_left_out_or_be_one_line(string options, string input, string words, string request)
    {
        await using FakeServer qubesd = Server("0\0");
        Assert.Equal(0, (await RunAsync(options, input, words)).Status);
        Assert.Equal(request, await qubesd.NextRequestAsync());
    }

    [Fact]
    public async Task A_single_line_leaves_what_follows_unread()
    {
        await using FakeServer qubesd = Server("0\0");
        using MemoryStream input = new("a\nbc"u8.ToArray());
        await QubesdQueryProgram.RunAsync(["-c", _scratch.Path("s"), "--single-line", "dom0", "m", "work"], input, Stream.Null, TextWriter.Null);
        Assert.Equal(2, input.Position);
    }

    [Theory]
    [InlineData("--max-bytes=3", "abcd", "dom0 m work")]
    [InlineData("--max-bytes=65537", "", "dom0 m work")]
    [InlineData("--max-bytes=x", "", "dom0 m work")]
    [InlineData("--single-line", "no end", "dom0 m work")]
    [InlineData("--single-line", "tab\t\n", "dom0 m work")]
    [InlineData("--single-line --max-bytes=2", "abc\n", "dom0 m work")]
    [InlineData("--unknown", "", "dom0 m work")]
    [InlineData("", "", "dom0 m")]
    [InlineData("", "", "dom0 m work arg more")]
    public async Task Wrong_usage_has_status_2_and_asks_nobody(string options, string input, string words)
    {
        await using FakeServer qubesd = Server("0\0");
        (int status, string output, string error) = await RunAsync(options, input, words);
        Assert.Equal((2, ""), (status, output));
        Assert.Contains("qubesd-query: error: ", error, StringComparison.Ordinal);
        Assert.Equal(0, qubesd.Count);
    }

    [Fact]
    public async Task A_part_that_would_break_the_header_is_wrong_usage()
    {
        using MemoryStream input = new();
        Assert.Equal(2, await QubesdQueryProgram.RunAsync(["dom0", "m", "work", "a b"], input, Stream.Null, TextWriter.Null));
    }

    [Fact]
    public async Task Without_a_daemon_the_status_is_1() => Assert.Equal(1, (await RunAsync("", "", "dom0 m work")).Status);

    [Fact]
    public async Task A_payload_of_exactly_the_limit_is_sent()
    {
        await using FakeServer qubesd = Server("0\0");
        Assert.Equal(0, (await RunAsync("--max-bytes=3", "abc", "dom0 m work")).Status);
    }

    private FakeServer Server(string reply) => new(_scratch.Path("s"), endsWithEmptyLine: false, _ => Task.FromResult(reply));

    private async Task<(int Status, string Output, string Error)> RunAsync(string options, string input, string words)
    {
        using MemoryStream stdin = new(Encoding.Latin1.GetBytes(input));
        using MemoryStream stdout = new();
        using StringWriter stderr = new();
        string[] arguments = ["-c", _scratch.Path("s"), .. (options + " " + words).Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        int status = await QubesdQueryProgram.RunAsync(arguments, stdin, stdout, stderr).WaitAsync(FakeAgent.Limit);
        return (status, Encoding.Latin1.GetString(stdout.ToArray()), stderr.ToString());
    }
}
