using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Qubes.Linux;

namespace Qubes.Daemon.Tests;

/// <summary>A program that listens where the agent in dom0 does, keeps what it is asked and answers as told.</summary>
internal sealed class ScriptedAgent : IDisposable
{
    private readonly UnixListener _listener;
    private readonly Channel<string> _requests = Channel.CreateUnbounded<string>();

    public ScriptedAgent(string path, string answer)
    {
        _listener = UnixListener.Bind(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _ = ServeAsync(answer);
    }

    /// <summary>The next request, to its end.</summary>
    public Task<string> NextAsync() => _requests.Reader.ReadAsync().AsTask().WaitAsync(QubesdProcess.Patience);

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync(string answer)
    {
        try
        {
            while (true)
            {
                using Socket socket = await _listener.AcceptAsync();
                using MemoryStream request = new();
                byte[] buffer = new byte[4096];
                while (await socket.ReceiveAsync(buffer) is var count and > 0)
                {
                    request.Write(buffer, 0, count);
                }

                _requests.Writer.TryWrite(Encoding.ASCII.GetString(request.ToArray()));
                await socket.SendAsync(Encoding.ASCII.GetBytes(answer));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
