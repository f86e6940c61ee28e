namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>
/// First-in first-out bytes up to a fixed capacity. Memory grows with what is really held, so that many quiet streams cost little. Not synchronised.
/// </summary>
internal sealed class ByteRing(int capacity)
{
    private const int FirstSize = 4096;
    private byte[] _bytes = [];
    private int _head;

    public int Count { get; private set; }

    public int Free => capacity - Count;

    /// <summary>Appends as much as fits and returns how much that was.</summary>
    public int Write(ReadOnlySpan<byte> source)
    {
        int n = Math.Min(source.Length, Free);
        Grow(Count + n);
        int tail = _bytes.Length == 0 ? 0 : (_head + Count) % _bytes.Length;
        int first = Math.Min(n, _bytes.Length - tail);
        source[..first].CopyTo(_bytes.AsSpan(tail));
        source[first..n].CopyTo(_bytes);
        Count += n;
        return n;
    }

    /// <summary>Moves the oldest bytes out and returns how many.</summary>
    public int Read(Span<byte> destination)
    {
        int n = Math.Min(destination.Length, Count);
        int first = Math.Min(n, _bytes.Length - _head);
        _bytes.AsSpan(_head, first).CopyTo(destination);
        _bytes.AsSpan(0, n - first).CopyTo(destination[first..]);
        Count -= n;
        _head = Count == 0 ? 0 : (_head + n) % _bytes.Length;
        return n;
    }

    /// <summary>Drops the content and the memory.</summary>
    public void Clear()
    {
        _bytes = [];
        _head = 0;
        Count = 0;
    }

    private void Grow(int needed)
    {
        if (needed <= _bytes.Length)
        {
            return;
        }

        int size = Math.Max(FirstSize, _bytes.Length);
        while (size < needed)
        {
            size *= 2;
        }

        byte[] larger = new byte[Math.Min(size, Math.Max(capacity, needed))];
        int count = Count;
        Read(larger.AsSpan(0, count));
        _bytes = larger;
        _head = 0;
        Count = count;
    }
}
