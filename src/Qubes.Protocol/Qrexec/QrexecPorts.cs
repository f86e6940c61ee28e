namespace Qubes.Protocol.Qrexec;

/// <summary>The vchan ports of qrexec.</summary>
public static class QrexecPorts
{
    /// <summary>Control link between daemon and agent; the agent listens.</summary>
    public const uint Control = 512;

    /// <summary>First of the ports on which calls run.</summary>
    public const uint FirstData = 513;

    /// <summary>Number of data ports of one qube.</summary>
    public const int DataCount = 256;

    /// <summary>Last data port.</summary>
    public const uint LastData = FirstData + DataCount - 1;

    /// <summary>Whether <paramref name="port"/> is one a call may use.</summary>
    public static bool IsData(uint port) => port is >= FirstData and <= LastData;
}
