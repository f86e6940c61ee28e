using System.Buffers;

namespace Qubes.Admin.Server;

/// <summary>Bytes waiting for one connection, in pooled memory that is held only while there are any.</summary>
internal sealed class ByteQueue
{
    private byte[] _array = [];
    private int _start;
    private int _end;

    public int Count => _end - _start;

    public bool IsEmpty => _start == _end;

    /// <summary>What waits; valid until the next change.</summary>
    public ReadOnlySpan<byte> Bytes => _array.AsSpan(_start.._end);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        if (_array.Length - _end < bytes.Length)
        {
            Grow(bytes.Length);
        }

        bytes.CopyTo(_array.AsSpan(_end));
        _end += bytes.Length;
    }

    public void Consume(int count)
    {
        _start += count;
        if (IsEmpty)
        {
            Clear();
        }
    }

    public void Clear()
    {
        _start = _end = 0;
        if (_array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_array);
            _array = [];
        }
    }

    private void Grow(int more)
    {
        int count = Count;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(256, Math.Max(2 * count, count + more)));
        Bytes.CopyTo(larger);
        Clear();
        (_array, _start, _end) = (larger, 0, count);
    }
}
