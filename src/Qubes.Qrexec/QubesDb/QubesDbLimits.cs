namespace Qubes.Qrexec.QubesDb;

/// <summary>Bounds of a database and of those who use it, in bytes where nothing else is said.</summary>
internal static class QubesDbLimits
{
    /// <summary>All entries of the host's copy.</summary>
    public const long Database = 16 << 20;

    /// <summary>Those of them the guest has written.</summary>
    public const long FromGuest = 4 << 20;

    /// <summary>The guest's copy: room for the host's and for what the host refuses.</summary>
    public const long Replica = 2 * Database;

    /// <summary>Local connections.</summary>
    public const int Clients = 256;

    /// <summary>Watches of one connection.</summary>
    public const int Watches = 1024;

    /// <summary>While a connection has that much to receive, no further request of it is read, nor one of the guest that would make it more.</summary>
    public const int Backlog = 64 << 10;

    /// <summary>A connection with that much to receive is given up: nothing is left out silently.</summary>
    public const int LongestBacklog = 1 << 20;

    /// <summary>The same for the link, whose peer gets the whole database at once.</summary>
    public const long LongestLinkBacklog = Database + LongestBacklog;

    /// <summary>A value too long is skipped if it is no longer than this; the connection ends if it is.</summary>
    public const int Skipped = 1 << 20;

    /// <summary>How long a watcher may keep the guest's requests waiting.</summary>
    public static readonly TimeSpan WatcherPatience = TimeSpan.FromSeconds(10);
}
