using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Data;

/// <summary>
/// Reads qrexec messages from a vchan through one buffer: headers first, then the body in whatever pieces arrive, so that no body needs to fit anywhere.
/// </summary>
public sealed class FrameReader(IVchan vchan)
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    /// <summary>Bytes of the present message's body that were not handed out yet.</summary>
    public uint Remaining { get; private set; }

    /// <summary>The next header; null when the peer has ended between two messages. The body before it must have been read.</summary>
    /// <exception cref="VchanClosedException">The peer has ended inside a header.</exception>
    public async ValueTask<QrexecHeader?> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        if (Remaining != 0)
        {
            throw new InvalidOperationException("the body before has not been read");
        }

        while (_end - _start < QrexecHeader.Size)
        {
            if (!await FillAsync(cancellationToken))
            {
                return _start == _end ? null : throw new VchanClosedException();
            }
        }

        QrexecHeader header = QrexecHeader.Read(_buffer.AsSpan(_start));
        _start += QrexecHeader.Size;
        Remaining = header.Length;
        return header;
    }

    /// <summary>The next piece of the body, not empty, valid until the next call. Only while <see cref="Remaining"/> is not 0.</summary>
    /// <exception cref="VchanClosedException">The peer has ended inside the body.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadPieceAsync(CancellationToken cancellationToken)
    {
        while (_start == _end)
        {
            if (!await FillAsync(cancellationToken))
            {
                throw new VchanClosedException();
            }
        }

        int n = (int)Math.Min(Remaining, (uint)(_end - _start));
        ReadOnlyMemory<byte> piece = _buffer.AsMemory(_start, n);
        _start += n;
        Remaining -= (uint)n;
        return piece;
    }

    /// <summary>The whole body. The caller has checked that its length is sane.</summary>
    public async ValueTask<byte[]> ReadBodyAsync(CancellationToken cancellationToken)
    {
        byte[] body = new byte[Remaining];
        int done = 0;
        while (Remaining > 0)
        {
            ReadOnlyMemory<byte> piece = await ReadPieceAsync(cancellationToken);
            piece.CopyTo(body.AsMemory(done));
            done += piece.Length;
        }

        return body;
    }

    /// <summary>Passes over the rest of the body.</summary>
    public async ValueTask SkipAsync(CancellationToken cancellationToken)
    {
        while (Remaining > 0)
        {
            await ReadPieceAsync(cancellationToken);
        }
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        int n = await vchan.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += n;
        return n > 0;
    }
}
