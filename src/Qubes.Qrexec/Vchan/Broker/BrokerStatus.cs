namespace Qubes.Qrexec.Vchan.Broker;

/// <summary>Answers of a broker. The values are on the wire.</summary>
internal enum BrokerStatus : uint
{
    None = 0,

    /// <summary>The peer is connected: everything that follows is the vchan's own bytes.</summary>
    Connected = 1,

    /// <summary>A listen stands; Connected or Refused will follow.</summary>
    Listening = 2,

    /// <summary>No: the port is taken, the peer refuses or the request is not allowed. The connection ends.</summary>
    Refused = 3,
}
