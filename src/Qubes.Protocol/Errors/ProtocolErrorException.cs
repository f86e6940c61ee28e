namespace Qubes.Protocol.Errors;

/// <summary>The request itself is malformed. Subclasses known to clients differ in the wire name only.</summary>
public sealed class ProtocolErrorException : QubesException
{
    public ProtocolErrorException(string message)
        : base(QubesErrorNames.ProtocolError, message)
    {
    }

    public ProtocolErrorException(string wireName, string message)
        : base(wireName, message)
    {
    }
}
