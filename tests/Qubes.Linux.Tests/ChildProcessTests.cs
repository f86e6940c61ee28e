using System.Text;

namespace Qubes.Linux.Tests;

public sealed class ChildProcessTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("exit 0", 0, false)]
    [InlineData("exit 37", 37, false)]
    [InlineData("kill -TERM $$", 15, true)]
    public async Task The_end_is_told_as_exit_status_or_signal(string script, int code, bool isSignal)
    {
        var process = ChildProcess.Start(Shell(script));
        Assert.Equal(new ProcessExit(code, isSignal), await process.Exited.WaitAsync(Patience));
    }

    [Fact]
    public void A_missing_program_is_reported_with_its_error_number()
    {
        var failure = Assert.Throws<LinuxException>(() => ChildProcess.Start(new ChildProcessOptions { FileName = "/nonexistent/program" }));
        Assert.Equal(Errno.ENOENT, failure.Errno);
    }

    [Fact]
    public async Task Kill_ends_a_process_that_ignores_the_gentler_signals()
    {
        using var pipe = AnonymousPipe.Create();
        var process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "trap '' TERM; echo ready; while :; do sleep 1000; done"],
            NewSession = true,
            StandardOutput = pipe.Writer,
        });
        await using var output = pipe.OpenReader();
        Assert.Equal('r', await ReadByteAsync(output));
        process.Kill(ChildProcess.SIGTERM);
        process.KillGroup();
        Assert.Equal(new ProcessExit(9, true), await process.Exited.WaitAsync(Patience));
        process.Kill();
    }

    [Fact]
    public async Task Only_the_descriptors_given_are_open_in_the_child_in_their_order()
    {
        using var first = AnonymousPipe.Create();
        using var second = AnonymousPipe.Create();
        var inherited = await ProcessCapture.RunAsync(new ChildProcessOptions
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "echo one >&3; echo two >&4; exec ls /proc/self/fd"],
            ExtraHandles = [first.Writer, second.Writer],
        }, timeout: Patience);
        // ls itself has the directory open, as descriptor 5.
        Assert.Equal("0\n1\n2\n3\n4\n5\n", inherited.OutputText);
        first.Writer.Dispose();
        second.Writer.Dispose();
        Assert.Equal("one\n", await ReadAllAsync(first.OpenReader()));
        Assert.Equal("two\n", await ReadAllAsync(second.OpenReader()));
    }

    [Fact]
    public async Task Handles_that_swap_places_reach_the_right_numbers()
    {
        // The sources are given in descending order of their numbers, and stdin's may equal a target.
        var pipes = Enumerable.Range(0, 6).Select(_ => AnonymousPipe.Create()).ToArray();
        var script = string.Concat(Enumerable.Range(0, 6).Select(i => $"echo {i} >&{3 + i};"));
        await ProcessCapture.RunAsync(new ChildProcessOptions
        {
            FileName = "/bin/sh",
            Arguments = ["-c", script],
            ExtraHandles = [.. pipes.Reverse().Select(pipe => pipe.Writer)],
        }, timeout: Patience);
        for (var i = 0; i < pipes.Length; i++)
        {
            pipes[i].Writer.Dispose();
            Assert.Equal($"{pipes.Length - 1 - i}\n", await ReadAllAsync(pipes[i].OpenReader()));
        }
    }

    [Fact]
    public async Task Arguments_arrive_byte_for_byte()
    {
        string[] arguments = ["", "a b", "$(id)", "'\"\\", "ünï\n", "*"];
        var result = await ProcessCapture.RunAsync(
            new ChildProcessOptions { FileName = "/usr/bin/printf", Arguments = ["%s|", .. arguments] }, timeout: Patience);
        Assert.Equal(string.Concat(arguments.Select(argument => argument + "|")), result.OutputText);
    }

    [Fact]
    public void An_argument_with_a_NUL_is_refused() =>
        Assert.Throws<ArgumentException>(() => ChildProcess.Start(new ChildProcessOptions { FileName = "/bin/true", Arguments = ["a\0b"] }));

    [Fact]
    public async Task The_environment_is_ours_with_the_changes_asked_for()
    {
        Environment.SetEnvironmentVariable("QUBES_TEST_KEPT", "kept");
        Environment.SetEnvironmentVariable("QUBES_TEST_GONE", "gone");
        var result = await ProcessCapture.RunAsync(new ChildProcessOptions
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "echo \"$QUBES_TEST_KEPT,$QUBES_TEST_GONE,$QUBES_TEST_NEW\"; pwd"],
            EnvironmentChanges = new Dictionary<string, string?> { ["QUBES_TEST_GONE"] = null, ["QUBES_TEST_NEW"] = "new" },
            WorkingDirectory = "/usr",
        }, timeout: Patience);
        Assert.Equal("kept,,new\n/usr\n", result.OutputText);
    }

    [Fact]
    public async Task Signals_are_reset_so_that_a_broken_pipe_ends_the_child()
    {
        using var pipe = AnonymousPipe.Create();
        var process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "while :; do echo x; done"],
            StandardOutput = pipe.Writer,
        });
        pipe.Dispose();
        Assert.Equal(new ProcessExit(13, true), await process.Exited.WaitAsync(Patience));
    }

    [Fact]
    public async Task Captured_output_ends_at_the_limit_and_the_program_still_finishes()
    {
        var result = await ProcessCapture.RunAsync(Shell("head -c 1000000 /dev/zero; echo oops >&2; exit 3"), outputLimit: 1000, timeout: Patience);
        Assert.Equal(1000, result.Output.Length);
        Assert.True(result.IsTruncated);
        Assert.Equal("oops", result.ErrorText);
        Assert.Equal(new ProcessExit(3, false), result.Exit);
    }

    [Fact]
    public async Task A_program_that_takes_too_long_is_killed_with_its_children()
    {
        using var alive = AnonymousPipe.Create();
        var run = ProcessCapture.RunAsync(new ChildProcessOptions
        {
            FileName = "/bin/sh",
            Arguments = ["-c", "sleep 1000 & sleep 1000"],
            ExtraHandles = [alive.Writer],
        }, timeout: TimeSpan.FromMilliseconds(200));
        alive.Writer.Dispose();
        await Assert.ThrowsAsync<TimeoutException>(() => run);
        // End of file comes when the last process that held the writing end is gone.
        Assert.Equal("", await ReadAllAsync(alive.OpenReader()).WaitAsync(Patience));
    }

    [Fact]
    public async Task Input_reaches_the_program_and_its_refusal_is_no_error()
    {
        var input = Encoding.ASCII.GetBytes(new string('x', 300_000));
        var copied = await ProcessCapture.RunAsync(new ChildProcessOptions { FileName = "/bin/cat" }, input, timeout: Patience);
        Assert.Equal(input, copied.Output);
        var refused = await ProcessCapture.RunAsync(new ChildProcessOptions { FileName = "/bin/true" }, input, timeout: Patience);
        Assert.True(refused.Exit.IsSuccess);
    }

    [Fact]
    public async Task A_process_of_somebody_else_can_be_watched_and_signalled()
    {
        var process = ChildProcess.Start(Shell("exec sleep 1000"));
        var watch = ProcessWatch.TryOpen(process.Id);
        Assert.NotNull(watch);
        Assert.True(watch.Kill());
        await watch.Exited.WaitAsync(Patience);
        Assert.False(watch.Kill());
        await process.Exited.WaitAsync(Patience);
        Assert.Null(ProcessWatch.TryOpen(process.Id));
    }

    [Fact]
    public async Task Hundreds_of_processes_are_all_reaped()
    {
        var processes = Enumerable.Range(0, 200).Select(i => ChildProcess.Start(Shell($"exit {i}"))).ToArray();
        var exits = await Task.WhenAll(processes.Select(process => process.Exited)).WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(0, 200), exits.Select(exit => exit.Code));
        Assert.All(processes, process => Assert.False(Directory.Exists($"/proc/{process.Id}")));
    }

    private static ChildProcessOptions Shell(string script) => new() { FileName = "/bin/sh", Arguments = ["-c", script] };

    private static async Task<int> ReadByteAsync(Stream stream)
    {
        var buffer = new byte[1];
        await stream.ReadExactlyAsync(buffer).AsTask().WaitAsync(Patience);
        return buffer[0];
    }

    private static async Task<string> ReadAllAsync(Stream stream)
    {
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
