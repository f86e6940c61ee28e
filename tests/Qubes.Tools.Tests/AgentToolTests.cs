using System.Collections.Concurrent;
using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Policy.Prompting;
using Qvm.Tools.Asking;

namespace Qubes.Tools.Tests;

/// <summary>The agent at a terminal, asked through its real sockets by what the daemon asks with.</summary>
public sealed class AgentToolTests : IDisposable
{
    private const string Ask =
        """{"source": "work", "service": "qubes.Filecopy", "argument": "+", "targets": ["vault", "@dispvm:dvm"], "default_target": "vault", "icons": {}}""";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _root = Directory.CreateTempSubdirectory("qa-").FullName;
    private readonly QubesPaths _paths;
    private readonly Keyboard _keyboard = new();
    private readonly Screen _screen = new();
    private readonly Clock _clock = new();
    private readonly TerminalDialogue _dialogue;
    private readonly AgentServer _server;

    public AgentToolTests()
    {
        _paths = new QubesPaths(_root);
        Directory.CreateDirectory(_paths.QubesRunDirectory);
        Directory.CreateDirectory(_paths.RpcDirectory);
        File.CreateSymbolicLink(Path.Combine(_paths.RpcDirectory, "policy.Ask"), "../../run/qubes/policy-agent.sock");
        File.CreateSymbolicLink(Path.Combine(_paths.RpcDirectory, "policy.Notify"), "../../run/qubes/policy-agent.sock");
        _dialogue = new TerminalDialogue(_keyboard, _screen, _clock);
        _server = AgentServer.Listen(_paths, _dialogue);
    }

    public void Dispose()
    {
        _server.Dispose();
        _keyboard.End();
        _dialogue.Dispose();
        _screen.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData("vault", "allow:vault")]
    [InlineData("2", "allow:@dispvm:dvm")]
    [InlineData("@dispvm:dvm", "allow:@dispvm:dvm")]
    [InlineData("yes", "allow:vault")]
    [InlineData("", "deny")]
    [InlineData("no", "deny")]
    [InlineData("3\n0\nVault\n1", "allow:vault")]
    public async Task A_person_answers(string typed, string answer)
    {
        Task<string> asking = CallAsync("policy.Ask", Ask);
        await _screen.WaitForAsync("Number or name, yes for vault, nothing for no: ");
        Assert.Contains("work wants to call qubes.Filecopy. Where may it?", _screen.Text, StringComparison.Ordinal);
        Assert.Contains("*   1  vault", _screen.Text, StringComparison.Ordinal);
        Assert.Contains("    2  new disposable of dvm", _screen.Text, StringComparison.Ordinal);
        _clock.Now = 2;
        await TypeAsync(typed);
        Assert.Equal(answer, await asking.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_device_is_asked_about_at_the_same_terminal()
    {
        ServiceAgent agent = new(_paths, _paths.QubesRunDirectory, qrexecClient: null);
        Task<string> asking = agent.CallAsync("dom0", "device-agent.GUI",
            """{"source": "dom0", "device_name": "Storage: x", "argument": "sda", "targets": ["a", "b"], "default_target": "", "icons": {}}""",
            CancellationToken.None);
        await _screen.WaitForAsync("Number or name, nothing for no: ");
        Assert.Contains("Device dom0:sda (Storage: x) can be attached. To which qube?", _screen.Text, StringComparison.Ordinal);
        _clock.Now = 2;
        await TypeAsync("yes\nb");
        Assert.Equal("allow:b", await asking.WaitAsync(Patience));
    }

    [Fact]
    public async Task What_was_typed_before_and_too_quickly_answers_nothing()
    {
        await TypeAsync("1");
        _clock.Now = 2;
        Task<string> asking = CallAsync("policy.Ask", Ask);
        await _screen.WaitForAsync("nothing for no: ");
        await TypeAsync("2");
        await _screen.WaitForAsync("too quick");
        _clock.Now = 4;
        await TypeAsync("");
        Assert.Equal("deny", await asking.WaitAsync(Patience));
        Assert.Single(_screen.Text.Split("too quick")[1..]);
    }

    [Fact]
    public async Task One_question_stands_there_at_a_time_and_one_nobody_waits_for_is_withdrawn()
    {
        using CancellationTokenSource givenUp = new();
        ServiceAgent agent = new(_paths, _paths.RpcDirectory, qrexecClient: null);
        Task<string> first = agent.CallAsync("dom0", "policy.Ask", Ask, givenUp.Token);
        await _screen.WaitForAsync("nothing for no: ");
        Task<string> second = CallAsync("policy.Ask", Ask.Replace("qubes.Filecopy", "qubes.Other", StringComparison.Ordinal));
        await givenUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await _screen.WaitForAsync("qubes.Other. Where may it?");
        Assert.True(_screen.Text.IndexOf("withdrawn", StringComparison.Ordinal) < _screen.Text.IndexOf("qubes.Other", StringComparison.Ordinal));
        _clock.Now = 2;
        await TypeAsync("1");
        Assert.Equal("allow:vault", await second.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_notice_is_a_line_and_has_an_empty_answer()
    {
        Assert.Equal("", await CallAsync(
            "policy.Notify", """{"resolution": "deny", "service": "qubes.X", "argument": "+a", "source": "work", "target": "vault"}"""));
        Assert.Contains("Denied: qubes.X+a from work to vault\n", _screen.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_end_of_input_is_a_no_and_ends_the_agent()
    {
        Task<string> asking = CallAsync("policy.Ask", Ask);
        await _screen.WaitForAsync("nothing for no: ");
        _keyboard.End();
        Assert.Equal("deny", await asking.WaitAsync(Patience));
        await _dialogue.Ended.WaitAsync(Patience);
        Assert.Equal("deny", await CallAsync("policy.Ask", Ask));
    }

    [Fact]
    public async Task What_is_no_request_gets_no_answer_and_a_second_agent_no_place()
    {
        Assert.Equal("", await CallAsync("policy.Ask", "{}"));
        using (Socket socket = await UnixAddress.ConnectAsync(_paths.PolicyAgentSocket))
        {
            await socket.SendAsync(new byte[2 << 20]).WaitAsync(Patience).ContinueWith(_ => { }, TaskScheduler.Default);
        }

        Assert.Throws<IOException>(() => AgentServer.Listen(_paths, _dialogue));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_paths.PolicyAgentSocket));
        _server.Dispose();
        Assert.False(File.Exists(_paths.PolicyAgentSocket));
        Assert.False(File.Exists(_paths.DeviceAgentSocket));
    }

    private Task<string> CallAsync(string service, string json) =>
        new ServiceAgent(_paths, _paths.RpcDirectory, qrexecClient: null).CallAsync("dom0", service, json, CancellationToken.None).WaitAsync(Patience);

    /// <summary>Returns when the dialogue has read it all.</summary>
    private async Task TypeAsync(string lines)
    {
        foreach (string line in lines.Split('\n'))
        {
            await _keyboard.TypeAsync(line).WaitAsync(Patience);
        }
    }

    private sealed class Keyboard : TextReader
    {
        private readonly BlockingCollection<(string Line, TaskCompletionSource Read)> _lines = [];
        private TaskCompletionSource? _beingRead;

        public Task TypeAsync(string line)
        {
            TaskCompletionSource read = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _lines.Add((line, read));
            return read.Task;
        }

        public void End() => _lines.CompleteAdding();

        /// <summary>Who asks for the next line has dealt with the one before.</summary>
        public override string? ReadLine()
        {
            _beingRead?.SetResult();
            _beingRead = null;
            if (!_lines.TryTake(out (string Line, TaskCompletionSource Read) next, Timeout.Infinite))
            {
                return null;
            }

            _beingRead = next.Read;
            return next.Line;
        }
    }

    private sealed class Clock : TimeProvider
    {
        private long _now;

        public long Now
        {
            get => Interlocked.Read(ref _now);
            set => Interlocked.Exchange(ref _now, value);
        }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Now;
    }

    /// <summary>Keeps what is written, and lets a test wait for it.</summary>
    private sealed class Screen : StringWriter
    {
        private readonly Lock _gate = new();
        private readonly List<(string Text, TaskCompletionSource Seen)> _awaited = [];

        public string Text
        {
            get
            {
                lock (_gate)
                {
                    return ToString();
                }
            }
        }

        public override void Write(string? value)
        {
            lock (_gate)
            {
                base.Write(value);
                string all = ToString();
                _awaited.RemoveAll(a => all.Contains(a.Text, StringComparison.Ordinal) && a.Seen.TrySetResult());
            }
        }

        public override void WriteLine(string? value) => Write(value + "\n");

        public Task WaitForAsync(string text)
        {
            lock (_gate)
            {
                if (ToString().Contains(text, StringComparison.Ordinal))
                {
                    return Task.CompletedTask;
                }

                TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _awaited.Add((text, seen));
                return seen.Task.WaitAsync(Patience);
            }
        }
    }
}
