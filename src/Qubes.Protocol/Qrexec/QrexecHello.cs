using System.Buffers.Binary;

namespace Qubes.Protocol.Qrexec;

/// <summary>The HELLO message.</summary>
// header: type 0x300, length 4
// 0  u32  protocol version of the sender
public static class QrexecHello
{
    /// <summary>Bytes of the body.</summary>
    public const int BodySize = 4;

    /// <summary>A whole HELLO message.</summary>
    public static byte[] Message(uint version)
    {
        Span<byte> body = stackalloc byte[BodySize];
        BinaryPrimitives.WriteUInt32LittleEndian(body, version);
        return QrexecHeader.Message(QrexecMessageType.Hello, body);
    }

    /// <summary>Whether a header announces a well-formed HELLO.</summary>
    public static bool IsHello(QrexecHeader header) => header is { Type: QrexecMessageType.Hello, Length: BodySize };

    /// <summary>The version in a HELLO body.</summary>
    public static uint ReadVersion(ReadOnlySpan<byte> body) => BinaryPrimitives.ReadUInt32LittleEndian(body);
}
