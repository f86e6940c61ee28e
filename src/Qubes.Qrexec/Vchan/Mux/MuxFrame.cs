using System.Buffers.Binary;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>Header of one frame. <paramref name="Tag"/> names the session, so that frames of an earlier one are never taken for current.</summary>
// 0   u32  session tag
// 4   u8   type
// 5   u8   flags: 1 in CLOSE = full close; otherwise 0
// 6   u16  0
// 8   u32  stream number; 0 in PING and PONG
// 12  u32  length of the payload
// 16  payload
//     u32  complement of the session tag: a frame cut off by a dying sender and completed by foreign bytes is not taken for whole
internal readonly record struct MuxFrame(uint Tag, MuxFrameType Type, byte Flags, uint Stream, int Length)
{
    public const int HeaderSize = 16;
    public const int TrailerSize = 4;
    public const int MaxPayload = 16 * 1024;
    public const int MaxSize = HeaderSize + MaxPayload + TrailerSize;
    public const byte FullClose = 1;

    /// <summary>Reads and checks a header; false for anything that no peer sends.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out MuxFrame frame)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        frame = new(
            BinaryPrimitives.ReadUInt32LittleEndian(source),
            (MuxFrameType)source[4],
            source[5],
            BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
            (int)Math.Min(length, int.MaxValue));
        bool isLengthRight = frame.Type switch
        {
            MuxFrameType.Open or MuxFrameType.Ping or MuxFrameType.Pong => length == 8,
            MuxFrameType.Refuse or MuxFrameType.Credit => length == 4,
            MuxFrameType.Accept or MuxFrameType.Close or MuxFrameType.Reset => length == 0,
            MuxFrameType.Data => length is >= 1 and <= MaxPayload,
            _ => false,
        };
        bool isFlagRight = frame.Flags == 0 || (frame.Type == MuxFrameType.Close && frame.Flags == FullClose);
        bool isLinkFrame = frame.Type is MuxFrameType.Ping or MuxFrameType.Pong;
        return isLengthRight && isFlagRight && source[6] == 0 && source[7] == 0 && isLinkFrame == (frame.Stream == 0);
    }

    /// <summary>Writes a whole frame and returns its size.</summary>
    public static int Write(Span<byte> destination, uint tag, MuxFrameType type, byte flags, uint stream, ReadOnlySpan<byte> payload)
    {
        payload.CopyTo(destination[HeaderSize..]);
        return WriteAround(destination, tag, type, flags, stream, payload.Length);
    }

    /// <summary>Writes header and trailer around a payload that is in its place already; returns the size of the frame.</summary>
    public static int WriteAround(Span<byte> destination, uint tag, MuxFrameType type, byte flags, uint stream, int length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, tag);
        destination[4] = (byte)type;
        destination[5] = flags;
        destination[6] = 0;
        destination[7] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], stream);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[(HeaderSize + length)..], ~tag);
        return HeaderSize + length + TrailerSize;
    }
}
