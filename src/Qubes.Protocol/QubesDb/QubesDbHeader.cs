using System.Buffers.Binary;
using System.Text;

namespace Qubes.Protocol.QubesDb;

/// <summary>What stands before the value of every message, requests and answers alike.</summary>
/// <param name="Type">May be a value that is none.</param>
/// <param name="Path">Null: not made of the characters a path may have.</param>
/// <param name="DataLength">Bytes of the value that follows, as claimed.</param>
// 0   u8   type
// 1   path, 64 bytes: ended by a zero, the last byte counts as one
// 65  3 bytes of padding
// 68  u32  bytes of the value
// 72  value
// Little endian.
public readonly record struct QubesDbHeader(QubesDbMessageType Type, string? Path, uint DataLength)
{
    public const int Size = 72;
    private const int PathOffset = 1;
    private const int LengthOffset = 68;

    /// <summary>The path is proper and the value not too long.</summary>
    public bool IsValid => Path is not null && DataLength <= QubesDbEntry.MaxValueLength;

    /// <summary>Reads the <see cref="Size"/> bytes of a header, whatever they are.</summary>
    public static QubesDbHeader Read(ReadOnlySpan<byte> untrustedBytes)
    {
        ReadOnlySpan<byte> untrustedPath = untrustedBytes.Slice(PathOffset, QubesDbPath.MaxLength);
        int end = untrustedPath.IndexOf((byte)0);
        string text = Encoding.Latin1.GetString(end < 0 ? untrustedPath : untrustedPath[..end]);
        return new(
            (QubesDbMessageType)untrustedBytes[0],
            QubesDbPath.IsPrefix(text) ? text : null,
            BinaryPrimitives.ReadUInt32LittleEndian(untrustedBytes[LengthOffset..]));
    }

    /// <summary>A whole message.</summary>
    /// <param name="path">At most <see cref="QubesDbPath.MaxLength"/> ASCII characters.</param>
    public static byte[] Message(QubesDbMessageType type, string path = "", ReadOnlySpan<byte> value = default)
    {
        byte[] message = new byte[Size + value.Length];
        Write(message, type, path, value);
        return message;
    }

    /// <summary>Writes a message of <see cref="Size"/> bytes and those of the value to the start of <paramref name="target"/>, which is all zeros.</summary>
    public static void Write(Span<byte> target, QubesDbMessageType type, string path, ReadOnlySpan<byte> value)
    {
        target[0] = (byte)type;
        Encoding.ASCII.GetBytes(path, target.Slice(PathOffset, QubesDbPath.MaxLength));
        BinaryPrimitives.WriteUInt32LittleEndian(target[LengthOffset..], (uint)value.Length);
        value.CopyTo(target[Size..]);
    }
}
