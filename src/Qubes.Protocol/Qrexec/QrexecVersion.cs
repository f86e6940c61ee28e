namespace Qubes.Protocol.Qrexec;

/// <summary>Protocol versions announced on the three kinds of link, and what they imply.</summary>
public static class QrexecVersion
{
    /// <summary>Announced on control links.</summary>
    public const uint Control = 4;

    /// <summary>Announced on the daemon's local socket, in both directions.</summary>
    public const uint Local = 3;

    /// <summary>Announced on data links.</summary>
    public const uint Data = 4;

    /// <summary>Oldest version understood on control and data links.</summary>
    public const uint Minimum = 2;

    /// <summary>The version both ends understand, or 0 when <paramref name="peer"/> is too old.</summary>
    public static uint Negotiate(uint own, uint peer)
    {
        uint common = Math.Min(own, peer);
        return common < Minimum ? 0 : common;
    }

    /// <summary>Largest data message body for a negotiated version.</summary>
    public static int DataChunk(uint version) => version < 3 ? QrexecLimits.DataChunkVersion2 : QrexecLimits.DataChunk;
}
