using System.Buffers.Binary;

namespace Qubes.Protocol.Qrexec;

/// <summary>Where the data link of a call is: the domain to reach and the vchan port. Also the answer to the one who asked.</summary>
// 0  u32  connect_domain
// 4  u32  connect_port
public readonly record struct ExecParams(uint Domain, uint Port)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 8;

    /// <summary>Reads from the first <see cref="Size"/> bytes.</summary>
    public static ExecParams Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadUInt32LittleEndian(source[4..]));

    /// <summary>Writes to the first <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Domain);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], Port);
    }

    /// <summary>The bytes on the wire.</summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        Write(bytes);
        return bytes;
    }
}
