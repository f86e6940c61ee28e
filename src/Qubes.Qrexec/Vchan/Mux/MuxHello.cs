using System.Buffers.Binary;

namespace Qubes.Qrexec.Vchan.Mux;

/// <summary>
/// Announces an end of the link. <paramref name="Nonce"/> names the sender's present life; <paramref name="Echo"/> is the peer's nonce as far as known,
/// else 0. A session stands once an end has read its own nonce as echo.
/// </summary>
// 0   16   magic
// 16  u32  protocol version (1)
// 20  u32  receive window of the sender, for every stream
// 24  u64  nonce
// 32  u64  echo
// 40  u32  0
// 44  u32  check: FNV-1a of the 44 bytes before
internal readonly record struct MuxHello(uint Version, uint Window, ulong Nonce, ulong Echo)
{
    public const int Size = 48;
    public const uint CurrentVersion = 1;
    public const uint MinWindow = 1024;
    public const uint MaxWindow = 16 * 1024 * 1024;

    /// <summary>Starts every HELLO. It has bytes that text never has, and no byte of it repeats the first one.</summary>
    public static ReadOnlySpan<byte> Magic => [0xF5, (byte)'q', (byte)'v', (byte)'m', (byte)'u', (byte)'x', 0x0D, 0x0A, 0x1A, 0x0A, 0xC1, 0x00, 0xFE, 0x01, 0x80, 0x7F];

    /// <summary>The first word of <see cref="Magic"/>, which no session tag equals.</summary>
    public static uint MagicWord => BinaryPrimitives.ReadUInt32LittleEndian(Magic);

    /// <summary>Reads from the first <see cref="Size"/> bytes; false when they are not a HELLO this version understands.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out MuxHello hello)
    {
        hello = new(
            BinaryPrimitives.ReadUInt32LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[20..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]));
        return source.StartsWith(Magic)
            && BinaryPrimitives.ReadUInt32LittleEndian(source[44..]) == Check(source[..44])
            && hello.Version >= CurrentVersion
            && hello.Window is >= MinWindow and <= MaxWindow
            && hello.Nonce != 0;
    }

    public void Write(Span<byte> destination)
    {
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[20..], Window);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[24..], Nonce);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[32..], Echo);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[40..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[44..], Check(destination[..44]));
    }

    /// <summary>The tag that frames carry in the session of these two nonces; the same whichever end computes it.</summary>
    public static uint SessionTag(ulong one, ulong other)
    {
        ulong mixed = (one ^ other) * 0x9E37_79B9_7F4A_7C15UL;
        uint tag = (uint)(mixed >> 32) | 1;
        return tag == MagicWord ? tag ^ 0x8000_0000 : tag;
    }

    private static uint Check(ReadOnlySpan<byte> bytes)
    {
        uint hash = 2166136261;
        foreach (byte b in bytes)
        {
            hash = (hash ^ b) * 16777619;
        }

        return hash;
    }
}
