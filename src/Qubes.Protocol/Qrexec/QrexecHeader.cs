using System.Buffers.Binary;

namespace Qubes.Protocol.Qrexec;

/// <summary>The header of every qrexec message; <paramref name="Length"/> bytes of body follow it.</summary>
// 0  u32  type
// 4  u32  length of the body
// All integers of the protocol are little endian.
public readonly record struct QrexecHeader(QrexecMessageType Type, uint Length)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 8;

    /// <summary>Reads a header from exactly its first <see cref="Size"/> bytes.</summary>
    public static QrexecHeader Read(ReadOnlySpan<byte> source) =>
        new((QrexecMessageType)BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadUInt32LittleEndian(source[4..]));

    /// <summary>Writes the header to the first <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)Type);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], Length);
    }

    /// <summary>A whole message: header and body.</summary>
    public static byte[] Message(QrexecMessageType type, ReadOnlySpan<byte> body)
    {
        byte[] message = new byte[Size + body.Length];
        new QrexecHeader(type, (uint)body.Length).Write(message);
        body.CopyTo(message.AsSpan(Size));
        return message;
    }
}
