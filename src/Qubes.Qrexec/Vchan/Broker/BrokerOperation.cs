namespace Qubes.Qrexec.Vchan.Broker;

/// <summary>What a broker is asked for. The values are on the wire.</summary>
internal enum BrokerOperation : uint
{
    None = 0,
    Connect = 1,
    Listen = 2,
}
