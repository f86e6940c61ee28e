namespace Qubes.Protocol.Admin;

/// <summary>Why bytes are not a request. Each is answered with a <c>ProtocolError</c>.</summary>
public enum AdminRequestError
{
    None,

    /// <summary>More than <see cref="AdminLimits.MaxRequestBytes"/>.</summary>
    TooLong,

    /// <summary>The header has no terminating NUL.</summary>
    NoHeaderEnd,

    /// <summary>The header has fewer than four fields.</summary>
    MissingField,

    /// <summary>A byte outside ASCII in the header.</summary>
    NotAscii,

    /// <summary>The destination type is neither <c>name</c> nor <c>keyword</c>.</summary>
    UnknownDestinationType,

    /// <summary>A destination keyword other than <c>adminvm</c>.</summary>
    UnknownDestinationKeyword,
}
