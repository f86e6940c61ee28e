using System.Net.Sockets;
using Qubes.Linux;
using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.IO;

namespace Qubes.Qrexec.QubesDb.Tools;

/// <summary>A tool's connection to a database: one request at a time; what watches tell meanwhile is kept.</summary>
internal sealed class QubesDbConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly Queue<string> _changes = [];

    private QubesDbConnection(Socket socket) => _socket = socket;

    /// <summary>Connects to the database of a qube, or to the own one: for writing if that is permitted, else for reading.</summary>
    /// <exception cref="SocketException">Neither is to be had.</exception>
    public static async Task<QubesDbConnection> OpenAsync(QubesPaths paths, string? qube)
    {
        try
        {
            return new(await UnixAddress.ConnectAsync(qube is null ? paths.LocalQubesDbSocket : paths.QubesDbSocket(qube)));
        }
        catch (Exception e) when (e is SocketException or LinuxException)
        {
            return new(await UnixAddress.ConnectAsync(qube is null ? paths.LocalQubesDbReadOnlySocket : paths.QubesDbReadOnlySocket(qube)));
        }
    }

    /// <summary>The value; null: no such entry.</summary>
    /// <exception cref="IOException">Refused, or the connection is lost.</exception>
    public async Task<byte[]?> ReadAsync(string path)
    {
        (QubesDbHeader header, byte[] value) = await RequestAsync(QubesDbMessageType.Read, path);
        return header.Type switch
        {
            QubesDbMessageType.ReadAnswer => value,
            QubesDbMessageType.NotFound => null,
            _ => throw Refused(path),
        };
    }

    public Task WriteAsync(string path, byte[] value) => ExpectOkAsync(QubesDbMessageType.Write, path, value);

    /// <summary>What is not there is no failure.</summary>
    public Task RemoveAsync(string path) => ExpectOkAsync(QubesDbMessageType.Remove, path, []);

    public Task WatchAsync(string path) => ExpectOkAsync(QubesDbMessageType.Watch, path, []);

    /// <summary>The entries that start so; without values if only paths are asked for.</summary>
    public async Task<List<QubesDbEntry>> ReadAllAsync(string prefix, bool withValues)
    {
        QubesDbMessageType request = withValues ? QubesDbMessageType.MultiRead : QubesDbMessageType.List;
        QubesDbMessageType answer = withValues ? QubesDbMessageType.MultiReadAnswer : QubesDbMessageType.ListAnswer;
        (QubesDbHeader header, byte[] value) = await RequestAsync(request, prefix);
        List<QubesDbEntry> entries = [];
        while (header.Type == answer && header.Path is { Length: > 0 } path)
        {
            entries.Add(new(path, value));
            (header, value) = await AnswerAsync();
        }

        return header.Type == answer ? entries : throw Refused(prefix);
    }

    /// <summary>The next changed path of those watched, waiting for it.</summary>
    public async Task<string> NextChangeAsync()
    {
        while (_changes.Count == 0)
        {
            (QubesDbHeader header, _) = await ReceiveAsync();
            if (header.Type == QubesDbMessageType.Changed)
            {
                _changes.Enqueue(header.Path ?? "");
            }
        }

        return _changes.Dequeue();
    }

    public void Dispose() => _socket.Dispose();

    private static IOException Refused(string path) => new($"{path}: refused");

    private async Task ExpectOkAsync(QubesDbMessageType type, string path, byte[] value)
    {
        (QubesDbHeader header, _) = await RequestAsync(type, path, value);
        if (header.Type != QubesDbMessageType.Ok && !(type == QubesDbMessageType.Remove && header.Type == QubesDbMessageType.NotFound))
        {
            throw Refused(path);
        }
    }

    private async Task<(QubesDbHeader Header, byte[] Value)> RequestAsync(QubesDbMessageType type, string path, byte[]? value = null)
    {
        if (!QubesDbPath.IsPrefix(path))
        {
            throw Refused(path);
        }

        await _socket.SendAllAsync(QubesDbHeader.Message(type, path, value), CancellationToken.None);
        return await AnswerAsync();
    }

    private async Task<(QubesDbHeader Header, byte[] Value)> AnswerAsync()
    {
        while (true)
        {
            (QubesDbHeader header, byte[] value) = await ReceiveAsync();
            if (header.Type != QubesDbMessageType.Changed)
            {
                return (header, value);
            }

            _changes.Enqueue(header.Path ?? "");
        }
    }

    private async Task<(QubesDbHeader Header, byte[] Value)> ReceiveAsync()
    {
        byte[] bytes = new byte[QubesDbHeader.Size];
        if (!await _socket.TryReceiveExactlyAsync(bytes, CancellationToken.None))
        {
            throw new IOException("the QubesDB daemon has closed the connection");
        }

        QubesDbHeader header = QubesDbHeader.Read(bytes);
        if (!header.IsValid)
        {
            throw new IOException("the QubesDB daemon has sent something else than an answer");
        }

        byte[] value = new byte[header.DataLength];
        return await _socket.TryReceiveExactlyAsync(value, CancellationToken.None)
            ? (header, value)
            : throw new IOException("the QubesDB daemon has closed the connection");
    }
}
