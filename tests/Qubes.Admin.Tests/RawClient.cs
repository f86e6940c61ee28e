using System.Net.Sockets;
using System.Text;
using Qubes.Linux;

namespace Qubes.Testing;

/// <summary>Speaks to a socket of the daemon in raw bytes, one connection a request, as every client does.</summary>
internal sealed class RawClient : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket;

    private RawClient(Socket socket) => _socket = socket;

    public static async Task<RawClient> ConnectAsync(string path) => new(await UnixAddress.ConnectAsync(path));

    /// <summary>Sends a request and returns the whole reply. Bytes are shown as Latin-1 characters.</summary>
    public static async Task<string> CallAsync(string path, string request)
    {
        using RawClient client = await ConnectAsync(path);
        await client.SendAsync(request);
        client.FinishOutput();
        return await client.ReadToEndAsync();
    }

    public async Task SendAsync(string bytes) => await SendAsync(Encoding.Latin1.GetBytes(bytes));

    public async Task SendAsync(byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await _socket.SendAsync(bytes.AsMemory(sent)).AsTask().WaitAsync(Patience);
        }
    }

    /// <summary>Ends the request; the reply can still be read.</summary>
    public void FinishOutput() => _socket.Shutdown(SocketShutdown.Send);

    public async Task<string> ReadToEndAsync()
    {
        StringBuilder text = new();
        while (await ReadAsync() is { Length: > 0 } part)
        {
            text.Append(part);
        }

        return text.ToString();
    }

    /// <summary>The next bytes; empty at the end.</summary>
    public async Task<string> ReadAsync()
    {
        byte[] buffer = new byte[65536];
        int count = await _socket.ReceiveAsync(buffer).WaitAsync(Patience);
        return Encoding.Latin1.GetString(buffer, 0, count);
    }

    /// <summary>Reads until exactly this many bytes arrived.</summary>
    public async Task<string> ReadExactlyAsync(int count)
    {
        byte[] buffer = new byte[count];
        for (int read = 0; read < count;)
        {
            int more = await _socket.ReceiveAsync(buffer.AsMemory(read)).AsTask().WaitAsync(Patience);
            Assert.NotEqual(0, more);
            read += more;
        }

        return Encoding.Latin1.GetString(buffer);
    }

    public void Dispose() => _socket.Dispose();
}
