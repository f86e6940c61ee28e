namespace Qubes.Qrexec.Tests.Vchan;

/// <summary>Passes on a number of written bytes and then fails, as a process does that is killed in the middle of a write.</summary>
internal sealed class CutStream(Stream inner, long allowed) : Stream
{
    private long _allowed = allowed;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.ReadAsync(buffer, cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int n = (int)Math.Min(buffer.Length, _allowed);
        _allowed -= n;
        await inner.WriteAsync(buffer[..n], cancellationToken);
        if (n < buffer.Length)
        {
            throw new IOException("killed");
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush()
    {
    }
}
