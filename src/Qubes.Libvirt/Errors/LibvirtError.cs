namespace Qubes.Libvirt;

/// <summary>The <c>virErrorNumber</c> values this code tells apart; any other is carried as its number.</summary>
public enum LibvirtError
{
    None = 0,
    Internal = 1,
    NotSupported = 3,
    NoConnect = 5,
    InvalidConnection = 6,
    OperationFailed = 9,
    UnknownOsType = 16,
    InvalidXml = 27,
    DomainExists = 28,
    SystemCall = 38,
    Rpc = 39,
    NoDomain = 42,
    OperationInvalid = 55,
    ConfigurationUnsupported = 67,
    OperationTimeout = 68,
    ArgumentUnsupported = 74,
    OperationUnsupported = 84,
    AgentUnresponsive = 86,
    ResourceBusy = 87,
}
