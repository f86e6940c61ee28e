using System.Net.Sockets;
using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.IO;

namespace Qubes.Qrexec.Tests.QubesDb;

/// <summary>Speaks to a QubesDB daemon in messages, also in such that no proper client sends.</summary>
internal sealed class RawClient(Socket socket) : IDisposable
{
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    public static async Task<RawClient> ConnectAsync(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).WaitAsync(Patience);
        return new RawClient(socket);
    }

    public Task SendAsync(byte[] bytes) => socket.SendAllAsync(bytes, CancellationToken.None).WaitAsync(Patience);

    /// <summary>The next message; null at the end.</summary>
    public async Task<(QubesDbMessageType Type, string? Path, string Value)?> ReceiveAsync()
    {
        byte[] bytes = new byte[QubesDbHeader.Size];
        if (!await socket.TryReceiveExactlyAsync(bytes, CancellationToken.None).WaitAsync(Patience))
        {
            return null;
        }

        QubesDbHeader header = QubesDbHeader.Read(bytes);
        byte[] value = new byte[header.DataLength];
        await socket.TryReceiveExactlyAsync(value, CancellationToken.None).WaitAsync(Patience);
        return (header.Type, header.Path, System.Text.Encoding.UTF8.GetString(value));
    }

    public async Task<(QubesDbMessageType Type, string? Path, string Value)?> CallAsync(QubesDbMessageType type, string path = "", string value = "")
    {
        await SendAsync(QubesDbHeader.Message(type, path, System.Text.Encoding.UTF8.GetBytes(value)));
        return await ReceiveAsync();
    }

    public async Task WriteAsync(string path, string value) => Assert.Equal(QubesDbMessageType.Ok, (await CallAsync(QubesDbMessageType.Write, path, value))?.Type);

    public async Task<string?> ReadAsync(string path) =>
        await CallAsync(QubesDbMessageType.Read, path) is { Type: QubesDbMessageType.ReadAnswer } answer ? answer.Value : null;

    /// <summary>All messages of an answer up to the one without a path.</summary>
    public async Task<List<(string Path, string Value)>> ReadAllAsync(QubesDbMessageType type, string prefix)
    {
        List<(string, string)> entries = [];
        for (var answer = await CallAsync(type, prefix); answer is { Path.Length: > 0 } entry; answer = await ReceiveAsync())
        {
            entries.Add((entry.Path, entry.Value));
        }

        return entries;
    }

    public void Dispose() => socket.Dispose();
}
