using System.Buffers.Binary;
using System.Text;
using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Agent;

/// <summary>
/// What the agent hands, on descriptor 0, to the process that carries out one call. <see cref="Failure"/> is a status to report instead of starting anything; 0 otherwise.
/// </summary>
// 0   u32  type: EXEC_CMDLINE or JUST_EXEC
// 4   exec_params (8): where the caller listens
// 12  u32  failure
// 16  u32  bytes of the user's name
// 20  u32  bytes of the command
// 24  user, command
internal sealed record AgentCallRequest(QrexecMessageType Type, ExecParams Target, int Failure, string User, ReadOnlyMemory<byte> Command)
{
    private const int FixedSize = 24;

    public byte[] ToBytes()
    {
        byte[] user = Encoding.Latin1.GetBytes(User);
        byte[] bytes = new byte[FixedSize + user.Length + Command.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Type);
        Target.Write(bytes.AsSpan(4));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Failure);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), user.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), Command.Length);
        user.CopyTo(bytes.AsSpan(FixedSize));
        Command.CopyTo(bytes.AsMemory(FixedSize + user.Length));
        return bytes;
    }

    /// <exception cref="IOException">The agent has ended, or it was not the agent that called.</exception>
    public static AgentCallRequest Read(Stream source)
    {
        byte[] head = new byte[FixedSize];
        source.ReadExactly(head);
        int userLength = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(16));
        int commandLength = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(20));
        if (userLength is < 0 or > QrexecLimits.CommandBody || commandLength is < 0 or > QrexecLimits.CommandBody)
        {
            throw new InvalidDataException("not a request of the agent");
        }

        byte[] rest = new byte[userLength + commandLength];
        source.ReadExactly(rest);
        return new(
            (QrexecMessageType)BinaryPrimitives.ReadUInt32LittleEndian(head),
            ExecParams.Read(head.AsSpan(4)),
            BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(12)),
            Encoding.Latin1.GetString(rest, 0, userLength),
            rest.AsMemory(userLength));
    }
}
