using System.Net.Sockets;
using System.Text;
using CsCheck;

namespace Qubes.Linux.Tests;

public sealed class DiagnosticsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("two\nlines", "two\\x0alines")]
    [InlineData("\u001b[31mred", "\\x1b[31mred")]
    [InlineData("back\\slash", "back\\\\slash")]
    [InlineData("snow\u2603", "snow\\u2603")]
    public void Escaped_text_cannot_forge_a_line(string text, string escaped) => Assert.Equal(escaped, LogText.Escape(text));

    [Fact]
    public void A_whole_message_is_guarded_without_escaping_twice()
    {
        string part = LogText.Escape("a\n\\b");
        Assert.Equal("a\\x0a\\\\b", part);
        Assert.Equal($"said {part}\\x1b", LogText.Guard($"said {part}\u001b"));
    }

    [Fact]
    public void Escaped_text_is_one_printable_line_of_bounded_length() =>
        Gen.String[0, 10_000].Sample(text =>
        {
            var escaped = LogText.Escape(text);
            return escaped.All(c => c is >= ' ' and <= '~') && escaped.Length <= 6 * 4096 + 3;
        });

    [Theory]
    [InlineData("atomic-file-synced", true)]
    [InlineData("atomic-file-synced:1", true)]
    [InlineData("atomic-file-synced:2", false)]
    [InlineData("atomic-file", false)]
    [InlineData("*:1", true)]
    [InlineData("*", true)]
    public async Task The_named_fault_point_kills_the_process_at_the_hit_asked_for(string faultPoint, bool dies)
    {
        // The victim is this test program, running another test that passes that point once.
        var run = await ProcessCapture.RunAsync(new ChildProcessOptions
        {
            FileName = Path.Combine(AppContext.BaseDirectory, "Qubes.Linux.Tests"),
            Arguments = ["--filter-method", "*.Mode_and_group_are_those_asked_for_whatever_the_umask"],
            // It cannot clean up after itself.
            EnvironmentChanges = new Dictionary<string, string?> { [FaultPoint.Variable] = faultPoint, ["TMPDIR"] = _directory.Path },
        }, timeout: TimeSpan.FromSeconds(60));
        Assert.Equal(dies ? new ProcessExit(9, true) : new ProcessExit(0, false), run.Exit);
    }

    [Fact]
    public void The_service_manager_is_told_and_children_are_not_given_its_address()
    {
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(_directory["notify"]));
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", _directory["notify"]);
        var notify = SystemdNotify.FromEnvironment();
        Assert.Null(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));
        notify.Ready();
        notify.Status("line\nREADY=0");
        notify.ExtendTimeout(TimeSpan.FromSeconds(60));
        Assert.Equal(["READY=1", "STATUS=line\\x0aREADY=0", "EXTEND_TIMEOUT_USEC=60000000"], [Receive(), Receive(), Receive()]);

        string Receive()
        {
            var buffer = new byte[200];
            return Encoding.ASCII.GetString(buffer, 0, manager.Receive(buffer));
        }
    }

    [Fact]
    public void Without_a_service_manager_nothing_is_sent()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        var notify = SystemdNotify.FromEnvironment();
        notify.Ready();
        Assert.False(notify.IsEnabled);
    }

    [Fact]
    public void Every_path_is_beneath_the_root()
    {
        var paths = new QubesPaths(_directory.Path + "/");
        Assert.Equal(_directory.Path, paths.Root);
        Assert.Equal(_directory["var/lib/qubes/qubes.xml"], paths.StoreFile);
        Assert.Equal(_directory["run/qubesd.sock"], paths.AdminSocket);
        Assert.Equal(_directory["run/qubes/vchan.work.broker"], paths.VchanBrokerSocket("work"));
        Assert.Equal([_directory["run/qubes-rpc"], _directory["usr/local/etc/qubes-rpc"], _directory["etc/qubes-rpc"]], paths.ServiceDirectories);
        Assert.Equal("/var/lib/qubes/qubes.xml", new QubesPaths("/").StoreFile);
    }
}
