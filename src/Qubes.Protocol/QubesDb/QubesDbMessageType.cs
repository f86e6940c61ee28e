namespace Qubes.Protocol.QubesDb;

/// <summary>The first byte of a message. The values are on the wire.</summary>
public enum QubesDbMessageType : byte
{
    Read = 0,
    Write = 1,

    /// <summary>All entries whose paths start so. From the guest, with an empty path: the whole database.</summary>
    MultiRead = 2,

    /// <summary>Their paths only.</summary>
    List = 3,

    /// <summary>An entry, or with a final <c>/</c> all below it.</summary>
    Remove = 4,
    Watch = 5,
    Unwatch = 6,
    Ok = 7,
    NotFound = 8,
    Error = 9,
    ReadAnswer = 10,

    /// <summary>One for each entry; the one with an empty path is the end.</summary>
    MultiReadAnswer = 11,

    /// <inheritdoc cref="MultiReadAnswer"/>
    ListAnswer = 12,

    /// <summary>A watched path changed; may come between a request and its answer.</summary>
    Changed = 13,
}
