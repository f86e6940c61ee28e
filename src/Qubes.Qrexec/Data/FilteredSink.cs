using System.Buffers;

namespace Qubes.Qrexec.Data;

/// <summary>
/// Makes bytes from another qube harmless for a terminal: all but printable ASCII, TAB, LF, CR, BS and BEL become <c>_</c>, byte by byte.
/// </summary>
public sealed class FilteredSink(ILocalSink inner) : ILocalSink
{
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        byte[] filtered = ArrayPool<byte>.Shared.Rent(data.Length);
        try
        {
            Filter(data.Span, filtered);
            return await inner.WriteAsync(filtered.AsMemory(0, data.Length), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(filtered);
        }
    }

    public void Close() => inner.Close();

    internal static void Filter(ReadOnlySpan<byte> untrusted, Span<byte> destination)
    {
        for (int i = 0; i < untrusted.Length; i++)
        {
            byte b = untrusted[i];
            destination[i] = b is (>= 0x20 and <= 0x7E) or 0x09 or 0x0A or 0x0D or 0x08 or 0x07 ? b : (byte)'_';
        }
    }
}
