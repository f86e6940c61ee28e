using System.Net.Sockets;
using Qubes.Protocol.QubesDb;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.QubesDb;

/// <summary>One local connection: requests are answered in their order. Owns the connection.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "A token source without a timer holds no native resource, and the server may abort a client that has just ended.")]
internal sealed class DatabaseClient(DatabaseServer server, IVchan connection, bool mayWrite)
{
    private readonly MessageReader _reader = new(connection);
    private readonly CancellationTokenSource _aborted = new();

    /// <summary>What is on its way to the client.</summary>
    public SendQueue Outgoing { get; } = new(connection);

    /// <summary>Guarded by the server's gate.</summary>
    public int WatchCount { get; set; }

    /// <summary>Gives the connection up.</summary>
    public void Abort() => _aborted.Cancel();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _aborted.Token);
        Task sending = Outgoing.RunAsync(ended.Token);
        await using (connection)
        {
            try
            {
                bool goesOn = true;
                while (goesOn && await _reader.ReadHeaderAsync(ended.Token) is { } header)
                {
                    goesOn = await HandleAsync(header, ended.Token);
                    await Outgoing.BelowAsync(goesOn ? QubesDbLimits.Backlog : 1).WaitAsync(ended.Token);
                }
            }
            catch (Exception e) when (e is VchanException or OperationCanceledException or SocketException)
            {
                // It is gone, or is to go.
            }

            await ended.CancelAsync();
            await sending;
        }
    }

    // False: the connection ends.
    private async ValueTask<bool> HandleAsync(QubesDbHeader header, CancellationToken cancellationToken)
    {
        if (!header.IsValid || header.Type > QubesDbMessageType.Unwatch || (header.DataLength > 0 && header.Type != QubesDbMessageType.Write))
        {
            bool isSkipped = await _reader.TrySkipAsync(header, cancellationToken);
            Answer(QubesDbMessageType.Error, header.Path ?? "");
            return isSkipped;
        }

        string path = header.Path!;
        byte[] value = await _reader.ReadValueAsync(header, cancellationToken);
        switch (header.Type)
        {
            case QubesDbMessageType.Read:
                byte[]? found = server.Read(path);
                Answer(found is null ? QubesDbMessageType.NotFound : QubesDbMessageType.ReadAnswer, path, found);
                return true;
            case QubesDbMessageType.Write:
                return Write(path, value);
            case QubesDbMessageType.MultiRead or QubesDbMessageType.List:
                server.ReadAll(path, header.Type == QubesDbMessageType.MultiRead).ForEach(Outgoing.Add);
                return true;
            case QubesDbMessageType.Remove:
                Remove(path);
                return true;
            case QubesDbMessageType.Watch:
                Answer(server.Watch(path, this) ? QubesDbMessageType.Ok : QubesDbMessageType.Error, path);
                return true;
            default:
                Answer(server.Unwatch(path, this) ? QubesDbMessageType.Ok : QubesDbMessageType.NotFound, path);
                return true;
        }
    }

    private bool Write(string path, byte[] value)
    {
        if (!mayWrite || value.AsSpan().Contains((byte)0))
        {
            Answer(QubesDbMessageType.Error, path);
            return true;
        }

        if (QubesDbPath.IsEntry(path) && server.Write(path, value, () => Answer(QubesDbMessageType.Ok, path)))
        {
            return true;
        }

        Answer(QubesDbMessageType.Error, path);
        return false;
    }

    private void Remove(string path)
    {
        if (!mayWrite)
        {
            Answer(QubesDbMessageType.Error, path);
        }
        else if (!server.Remove(path, () => Answer(QubesDbMessageType.Ok, path)))
        {
            Answer(QubesDbMessageType.NotFound, path);
        }
    }

    private void Answer(QubesDbMessageType type, string path, byte[]? value = null) => Outgoing.Add(QubesDbHeader.Message(type, path, value));
}
