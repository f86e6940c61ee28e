using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Data;

/// <summary>The data link of one call after its HELLOs. Owns the vchan. Sending is serialised; reading is for one user.</summary>
public sealed class DataLink : IAsyncDisposable
{
    private readonly IVchan _vchan;
    private readonly SemaphoreSlim _sending = new(1);

    private DataLink(IVchan vchan, FrameReader reader, uint version)
    {
        _vchan = vchan;
        Reader = reader;
        Version = version;
    }

    /// <summary>The version both ends understand.</summary>
    public uint Version { get; }

    /// <summary>Largest body of a data message.</summary>
    public int ChunkLimit => QrexecVersion.DataChunk(Version);

    /// <summary>Messages of the peer.</summary>
    public FrameReader Reader { get; }

    /// <summary>
    /// Exchanges HELLOs. Inside qubes our own always goes first; on the host the caller writes first, and a service reads first.
    /// </summary>
    /// <exception cref="QrexecProtocolException">The peer says something else or is too old.</exception>
    /// <exception cref="VchanClosedException">The peer is gone.</exception>
    public static async Task<DataLink> HandshakeAsync(IVchan vchan, bool writeFirst, CancellationToken cancellationToken)
    {
        FrameReader reader = new(vchan);
        if (writeFirst)
        {
            await vchan.WriteAsync(QrexecHello.Message(QrexecVersion.Data), cancellationToken);
        }

        QrexecHeader header = await reader.ReadHeaderAsync(cancellationToken) ?? throw new VchanClosedException();
        if (!QrexecHello.IsHello(header))
        {
            throw new QrexecProtocolException("no HELLO at the start of a data link");
        }

        uint version = QrexecVersion.Negotiate(QrexecVersion.Data, QrexecHello.ReadVersion(await reader.ReadBodyAsync(cancellationToken)));
        if (version == 0)
        {
            throw new QrexecProtocolException("the peer's protocol version is too old");
        }

        if (!writeFirst)
        {
            await vchan.WriteAsync(QrexecHello.Message(QrexecVersion.Data), cancellationToken);
        }

        return new(vchan, reader, version);
    }

    /// <summary>Sends a message with a short or empty body.</summary>
    /// <exception cref="VchanClosedException">The peer is gone.</exception>
    public async ValueTask SendAsync(QrexecMessageType type, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        byte[] message = new byte[QrexecHeader.Size + body.Length];
        body.CopyTo(message.AsMemory(QrexecHeader.Size));
        await SendInPlaceAsync(type, message, body.Length, cancellationToken);
    }

    /// <summary>Sends a message whose body of <paramref name="length"/> bytes stands in <paramref name="buffer"/> behind room for the header.</summary>
    /// <exception cref="VchanClosedException">The peer is gone.</exception>
    public async ValueTask SendInPlaceAsync(QrexecMessageType type, Memory<byte> buffer, int length, CancellationToken cancellationToken)
    {
        new QrexecHeader(type, (uint)length).Write(buffer.Span);
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await _vchan.WriteAsync(buffer[..(QrexecHeader.Size + length)], cancellationToken);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Sends the status, the last message of a call.</summary>
    public ValueTask SendExitCodeAsync(int exitCode, CancellationToken cancellationToken) =>
        SendAsync(QrexecMessageType.DataExitCode, QrexecExitCode.ToBody(exitCode), cancellationToken);

    public ValueTask DisposeAsync() => _vchan.DisposeAsync();
}
