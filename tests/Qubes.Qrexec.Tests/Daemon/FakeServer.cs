using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Qubes.Linux;

namespace Qubes.Qrexec.Tests.Daemon;

/// <summary>
/// A UNIX socket that reads each request to its end (an empty line, or the end of the stream), keeps it and answers with what the test says.
/// </summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly UnixListener _listener;
    private readonly Func<string, Task<string>> _answer;
    private readonly bool _endsWithEmptyLine;
    private readonly Channel<string> _requests = Channel.CreateUnbounded<string>();
    private readonly Task _running;

    public FakeServer(string path, bool endsWithEmptyLine, Func<string, Task<string>> answer)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // As that of the daemon: whoever comes while many wait is not turned away.
        _listener = UnixListener.Bind(path, UnixFileMode.UserRead | UnixFileMode.UserWrite, backlog: 1024);
        _endsWithEmptyLine = endsWithEmptyLine;
        _answer = answer;
        _running = RunAsync();
    }

    /// <summary>The policy's socket with one answer for all.</summary>
    public static FakeServer Policy(string path, string answer) => new(path, endsWithEmptyLine: true, _ => Task.FromResult(answer));

    public int Count => _requests.Reader.Count;

    public async Task<string> NextRequestAsync() => await _requests.Reader.ReadAsync().AsTask().WaitAsync(FakeAgent.Limit);

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _running;
    }

    private async Task RunAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                return;
            }

            _ = ServeAsync(socket);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            StringBuilder request = new();
            byte[] buffer = new byte[4096];
            try
            {
                while (!(_endsWithEmptyLine && request.ToString().EndsWith("\n\n", StringComparison.Ordinal))
                    && await socket.ReceiveAsync(buffer) is var count and > 0)
                {
                    request.Append(Encoding.Latin1.GetString(buffer, 0, count));
                }

                _requests.Writer.TryWrite(request.ToString());
                await socket.SendAsync(Encoding.Latin1.GetBytes(await _answer(request.ToString())));
            }
            catch (SocketException)
            {
                // The client went away first: some tests do that.
            }
        }
    }
}
