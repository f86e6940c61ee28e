using System.Buffers;
using System.Text;

namespace Qubes.Admin.Server;

/// <summary>Where one reply is put together. Reused; its memory grows to what replies need.</summary>
public sealed class ReplyBuffer : IBufferWriter<byte>
{
    private const int InitialSize = 4096;
    private byte[] _array = new byte[InitialSize];
    private int _count;

    public ReadOnlySpan<byte> Written => _array.AsSpan(0, _count);

    public int Count => _count;

    internal int Capacity => _array.Length;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _array.Length - _count);
        _count += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(_count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(_count);
    }

    /// <summary>Adds text as UTF-8.</summary>
    public void WriteText(ReadOnlySpan<char> text)
    {
        // Room for the worst case: one pass over the text instead of one to count and one to write.
        Advance(Encoding.UTF8.GetBytes(text, GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length))));
    }

    /// <summary>Takes back what was written after the first <paramref name="count"/> bytes.</summary>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)_count);
        _count = count;
    }

    private void Reserve(int sizeHint)
    {
        if (_array.Length - _count < Math.Max(1, sizeHint))
        {
            Array.Resize(ref _array, Math.Max(2 * _array.Length, _count + sizeHint));
        }
    }
}
