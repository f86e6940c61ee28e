using System.Buffers.Binary;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>
/// Cuts a received byte stream into HELLOs and frames. It either scans for a HELLO, dropping everything else, or expects whole frames of one session
/// and reports the first thing that is none. Memory is fixed: one buffer of a few frames.
/// </summary>
internal sealed class MuxParser
{
    private readonly byte[] _buffer = new byte[4 * MuxFrame.MaxSize];
    private int _start;
    private int _end;
    private uint? _tag;

    /// <summary>What <see cref="Next"/> found.</summary>
    public enum Item
    {
        /// <summary>More bytes are needed.</summary>
        None,

        /// <summary><see cref="Hello"/> is set.</summary>
        Hello,

        /// <summary><see cref="Frame"/> and <see cref="Payload"/> are set.</summary>
        Frame,

        /// <summary>The bytes are not of this session. Call <see cref="Scan"/>; a HELLO among them is still found.</summary>
        Garbage,
    }

    public MuxHello Hello { get; private set; }

    public MuxFrame Frame { get; private set; }

    /// <summary>Payload of the last frame, valid until the next call of anything here.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>Drops everything received so far and scans: a new carrier has nothing of the old one.</summary>
    public void Restart()
    {
        _start = _end = 0;
        _tag = null;
    }

    /// <summary>Looks for a HELLO from here on.</summary>
    public void Scan() => _tag = null;

    /// <summary>From here on the peer sends frames of the session <paramref name="tag"/>.</summary>
    public void ExpectFrames(uint tag) => _tag = tag;

    /// <summary>Where the next received bytes go; never empty after <see cref="Next"/> has said None.</summary>
    public Memory<byte> GetSpace()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        return _buffer.AsMemory(_end);
    }

    /// <summary>Tells how much of the space was filled.</summary>
    public void Received(int count) => _end += count;

    public Item Next() => _tag is { } tag ? NextInSession(tag) : NextHello();

    private Item NextInSession(uint tag)
    {
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, _end - _start);
        if (bytes.Length < MuxFrame.HeaderSize)
        {
            return Item.None;
        }

        uint first = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (first == MuxHello.MagicWord)
        {
            if (bytes.Length < MuxHello.Size)
            {
                return Item.None;
            }

            return TakeHello(bytes) ? Item.Hello : Item.Garbage;
        }

        if (first != tag || !MuxFrame.TryRead(bytes, out MuxFrame frame))
        {
            return Item.Garbage;
        }

        int size = MuxFrame.HeaderSize + frame.Length + MuxFrame.TrailerSize;
        if (bytes.Length < size)
        {
            return Item.None;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[(size - MuxFrame.TrailerSize)..]) != ~tag)
        {
            return Item.Garbage;
        }

        Frame = frame;
        Payload = _buffer.AsMemory(_start + MuxFrame.HeaderSize, frame.Length);
        _start += size;
        return Item.Frame;
    }

    private Item NextHello()
    {
        while (true)
        {
            ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, _end - _start);
            int at = bytes.IndexOf(MuxHello.Magic);
            if (at < 0)
            {
                // The magic may have begun in the last bytes.
                _start = Math.Max(_start, _end - (MuxHello.Magic.Length - 1));
                return Item.None;
            }

            _start += at;
            bytes = bytes[at..];
            if (bytes.Length < MuxHello.Size)
            {
                return Item.None;
            }

            if (TakeHello(bytes))
            {
                return Item.Hello;
            }

            _start++;
        }
    }

    private bool TakeHello(ReadOnlySpan<byte> bytes)
    {
        if (!MuxHello.TryRead(bytes, out MuxHello hello))
        {
            return false;
        }

        Hello = hello;
        _start += MuxHello.Size;
        return true;
    }
}
