using System.Buffers.Binary;

namespace Qubes.Protocol.Qrexec;

/// <summary>Exit statuses with a meaning in qrexec, and the body of DATA_EXIT_CODE.</summary>
public static class QrexecExitCode
{
    /// <summary>Any trouble of qrexec itself.</summary>
    public const int Problem = 125;

    /// <summary>The policy refused the call.</summary>
    public const int Refused = 126;

    /// <summary>Allowed, but there is no such service.</summary>
    public const int NotFound = 127;

    /// <summary>A process ended by signal n has status 128 + n.</summary>
    public const int SignalBase = 128;

    /// <summary>The other end went away before it told a status.</summary>
    public const int Missing = 255;

    /// <summary>The body: one signed 32-bit integer.</summary>
    public static byte[] ToBody(int code)
    {
        byte[] body = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(body, code);
        return body;
    }

    /// <summary>Reads a body; one shorter than four bytes counts as <see cref="Missing"/>.</summary>
    public static int FromBody(ReadOnlySpan<byte> body) => body.Length < 4 ? Missing : BinaryPrimitives.ReadInt32LittleEndian(body);
}
