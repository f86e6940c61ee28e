using System.Buffers.Binary;

namespace Qubes.Protocol.Qrexec;

/// <summary>What an agent hands to the fork server of a logged-in user. There is no message header on that socket.</summary>
// 0   u32  type (EXEC_CMDLINE or JUST_EXEC)
// 4   u32  connect_domain
// 8   u32  connect_port
// 12  u32  length of the command with NUL
// 16  command, NUL terminated
public static class ForkServerRequest
{
    /// <summary>Bytes before the command.</summary>
    public const int FixedSize = 16;

    /// <summary>The whole request; the command is without its user and without NUL.</summary>
    public static byte[] ToBytes(QrexecMessageType type, ExecParams target, ReadOnlySpan<byte> command)
    {
        byte[] bytes = new byte[FixedSize + command.Length + 1];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)type);
        target.Write(bytes.AsSpan(4));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), (uint)command.Length + 1);
        command.CopyTo(bytes.AsSpan(FixedSize));
        return bytes;
    }
}
