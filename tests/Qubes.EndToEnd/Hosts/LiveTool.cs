using Qubes.Linux;

namespace Qubes.EndToEnd.Hosts;

/// <summary>A tool that runs, with its input and output in the test's hands.</summary>
internal sealed class LiveTool : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly AnonymousPipe _input;
    private readonly AnonymousPipe _output;

    public LiveTool(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        _input = AnonymousPipe.Create();
        _output = AnonymousPipe.Create();
        _process = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = program,
            Arguments = arguments,
            EnvironmentChanges = environment,
            NewSession = true,
            StandardInput = _input.Reader,
            StandardOutput = _output.Writer,
        });
        _input.Reader.Dispose();
        _output.Writer.Dispose();
        Input = _input.OpenWriter();
        Output = new StreamReader(_output.OpenReader());
    }

    public Stream Input { get; }

    public StreamReader Output { get; }

    public async Task<int> StatusAsync(TimeSpan patience)
    {
        ProcessExit exit = await _process.Exited.WaitAsync(patience);
        return exit.ShellStatus;
    }

    public async ValueTask DisposeAsync()
    {
        _process.KillGroup();
        await _process.Exited;
        await Input.DisposeAsync();
        Output.Dispose();
        _input.Dispose();
        _output.Dispose();
    }
}
