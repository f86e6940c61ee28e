using System.IO.Pipelines;
using System.Text;
using Qubes.Client.Services;
using Qubes.Client.Transport;
using Qubes.Linux;

namespace Qubes.Client.Tests;

public sealed class ConsoleServiceTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeDaemon _daemon = new();
    private readonly Pipe _input = new();
    private readonly Pipe _output = new();

    private string RunDirectory => Path.Combine(_daemon.Root, "run");

    public void Dispose() => _daemon.Dispose();

    private Task<int> RunAsync() => new ConsoleService(new SocketTransport(Path.Combine(RunDirectory, "qubesd.sock"), "/", "mgmt"), "work", RunDirectory)
        .RunAsync(_input.Reader.AsStream(), _output.Writer.AsStream());

    private async Task<string> ReadAsync(int length)
    {
        ReadResult result = await _output.Reader.ReadAtLeastAsync(length).AsTask().WaitAsync(Patience);
        string text = Encoding.ASCII.GetString(result.Buffer);
        _output.Reader.AdvanceTo(result.Buffer.End);
        return text;
    }

    /// <summary>A FIFO stands in for the terminal: what is written to it is what it shows.</summary>
    private async Task<string> MakeEchoingDeviceAsync()
    {
        string path = Path.Combine(_daemon.Root, "tty");
        CapturedProcess made = await ProcessCapture.RunAsync(new ChildProcessOptions { FileName = "/usr/bin/mkfifo", Arguments = [path] });
        Assert.True(made.Exit.IsSuccess, made.ErrorText);
        _daemon.Answer("admin.vm.Console+ work", path);
        return path;
    }

    [Fact]
    public async Task The_caller_is_connected_until_it_hangs_up()
    {
        await MakeEchoingDeviceAsync();
        Task<int> service = RunAsync();
        await _input.Writer.WriteAsync("login"u8.ToArray());
        Assert.Equal("login", await ReadAsync(5));
        await _input.Writer.CompleteAsync();
        Assert.Equal(0, await service.WaitAsync(Patience));
        Assert.Equal(["mgmt: admin.vm.Console+ work"], _daemon.Requests);
    }

    [Fact]
    public async Task A_console_has_one_user_at_a_time()
    {
        await MakeEchoingDeviceAsync();
        await using (FileStream held = new(Path.Combine(RunDirectory, "work.terminal.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.Equal(ConsoleService.InUse, await RunAsync().WaitAsync(Patience));
        }

        await _input.Writer.CompleteAsync();
        Assert.Equal(0, await RunAsync().WaitAsync(Patience));
    }

    [Fact]
    public async Task A_refusal_is_passed_on()
    {
        _daemon.Fail("admin.vm.Console+ work", "QubesVMNotRunningError", "Domain not running");
        Assert.Equal(1, await RunAsync().WaitAsync(Patience));
        const string refusal = "2\0QubesVMNotRunningError\0\0Domain not running\0";
        Assert.Equal(refusal, await ReadAsync(refusal.Length));
    }

    [Fact]
    public async Task A_qube_without_a_console_is_refused()
    {
        _daemon.Answer("admin.vm.Console+ work", "");
        Assert.Equal(1, await RunAsync().WaitAsync(Patience));
        const string refusal = "2\0QubesException\0\0The qube has no console\0";
        Assert.Equal(refusal, await ReadAsync(refusal.Length));
    }
}
