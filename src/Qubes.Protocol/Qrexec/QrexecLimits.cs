namespace Qubes.Protocol.Qrexec;

/// <summary>Sizes, in bytes, that peers agree on. Sizes "with NUL" count the terminating zero byte.</summary>
public static class QrexecLimits
{
    /// <summary>Largest body of a data message for protocol version 2.</summary>
    public const int DataChunkVersion2 = 4096;

    /// <summary>Largest body of a data message for protocol versions 3 and up.</summary>
    public const int DataChunk = 65536;

    /// <summary>Largest service name with NUL in a version 3 or 4 trigger.</summary>
    public const int ServiceNameWithNul = 65000;

    /// <summary>Largest body of an exec message: parameters, command and NUL.</summary>
    public const int CommandBody = 65535;

    /// <summary>Longest "service+argument" of a parsed command.</summary>
    public const int ServiceDescriptor = 65000;

    /// <summary>Longest service name without its argument: it is a file name.</summary>
    public const int ServiceName = 255;

    /// <summary>The field that carries a request identifier, with NUL.</summary>
    public const int RequestIdField = 32;

    /// <summary>The fields that carry source and target qube in version 3 and 4 triggers, with NUL.</summary>
    public const int QubeNameField = 64;

    /// <summary>A control body a peer with 4096-byte rings can take in one piece.</summary>
    public const int ControlBodyForSmallRings = 4096;
}
