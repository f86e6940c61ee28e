namespace Qubes.Protocol.Qrexec;

/// <summary>
/// Body of EXEC_CMDLINE, JUST_EXEC and SERVICE_CONNECT: where the data link is, then a command or a request identifier.
/// <paramref name="Command"/> excludes the terminating NUL and is not validated further.
/// </summary>
// 0  exec_params (8)
// 8  command, NUL terminated; it ends with the body
public readonly record struct ExecRequest(ExecParams Params, ReadOnlyMemory<byte> Command)
{
    /// <summary>Smallest body: parameters and a lone NUL.</summary>
    public const int MinBodySize = ExecParams.Size + 1;

    /// <summary>Whether a body of this length can be an exec request.</summary>
    public static bool IsLengthValid(uint length) => length is >= MinBodySize and <= QrexecLimits.CommandBody;

    /// <summary>
    /// Splits a body. Its last byte must be NUL; the command ends at the first NUL, as C peers see it.
    /// Returns false for a body that is too short, too long or not terminated.
    /// </summary>
    public static bool TryRead(ReadOnlyMemory<byte> body, out ExecRequest request)
    {
        if (!IsLengthValid((uint)body.Length) || body.Span[^1] != 0)
        {
            request = default;
            return false;
        }

        ReadOnlyMemory<byte> command = body[ExecParams.Size..];
        request = new(ExecParams.Read(body.Span), command[..command.Span.IndexOf((byte)0)]);
        return true;
    }

    /// <summary>The body on the wire. The command must not contain NUL.</summary>
    public byte[] ToBody()
    {
        byte[] body = new byte[ExecParams.Size + Command.Length + 1];
        Params.Write(body);
        Command.CopyTo(body.AsMemory(ExecParams.Size));
        return body;
    }

    /// <summary>A whole message of the given type.</summary>
    public byte[] ToMessage(QrexecMessageType type) => QrexecHeader.Message(type, ToBody());
}
