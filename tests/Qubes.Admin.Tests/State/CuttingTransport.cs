using Qubes.Client.Transport;

namespace Qubes.Admin.Tests.State;

/// <summary>Loses every stream after some bytes, sometimes within a message.</summary>
internal sealed class CuttingTransport(IAdminTransport inner, int seed) : IAdminTransport
{
    private readonly Random _random = new(seed);

    public bool IsLocal => true;

    /// <summary>Streams opened so far.</summary>
    public int Streams { get; private set; }

    public ValueTask<ReadOnlyMemory<byte>> SendAsync(AdminCall call, CancellationToken cancellation = default) => inner.SendAsync(call, cancellation);

    public async ValueTask<Stream> OpenAsync(AdminCall call, CancellationToken cancellation = default)
    {
        Streams++;
        return new CutStream(await inner.OpenAsync(call, cancellation), _random.Next(200, 20_000));
    }

    public ValueTask<ReadOnlyMemory<byte>> SendStreamAsync(AdminCall call, Stream data, CancellationToken cancellation = default) =>
        inner.SendStreamAsync(call, data, cancellation);

    private sealed class CutStream(Stream inner, int left) : Stream
    {
        private int _left = left;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = _left == 0 ? 0 : await inner.ReadAsync(buffer[..Math.Min(buffer.Length, _left)], cancellationToken);
            _left -= read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
