namespace Qubes.Protocol.Qrexec;

/// <summary>The <c>type</c> word of a qrexec message. Which link carries which is said in the comments.</summary>
public enum QrexecMessageType : uint
{
    /// <summary>No message: never on the wire.</summary>
    None = 0,

    /// <summary>Data link, caller to service; an empty body is the end of the stream.</summary>
    DataStdin = 0x190,

    /// <summary>Data link, service to caller; an empty body is the end of the stream.</summary>
    DataStdout = 0x191,

    /// <summary>Data link, service to caller; an empty body is the end of the stream.</summary>
    DataStderr = 0x192,

    /// <summary>Data link, service to caller, the last message of a call: a signed 32-bit status.</summary>
    DataExitCode = 0x193,

    /// <summary>Local and control links: run a command and connect its streams.</summary>
    ExecCmdline = 0x200,

    /// <summary>Local and control links: run a command detached; only the status of the start comes back.</summary>
    JustExec = 0x201,

    /// <summary>Local and control links: the service of a request is ready, become the listening end.</summary>
    ServiceConnect = 0x202,

    /// <summary>Control link, daemon to agent: the request is refused.</summary>
    ServiceRefused = 0x203,

    /// <summary>Control link, agent to daemon, protocol version 2: a request of a service.</summary>
    TriggerService = 0x210,

    /// <summary>Control link, agent to daemon: one end of a call is over.</summary>
    ConnectionTerminated = 0x211,

    /// <summary>Control link, agent to daemon, protocol version 3 and up.</summary>
    TriggerService3 = 0x212,

    /// <summary>Control link and the agent's local socket, protocol version 4 and up.</summary>
    TriggerService4 = 0x213,

    /// <summary>All links: announces a protocol version.</summary>
    Hello = 0x300,
}
