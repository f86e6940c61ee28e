namespace Qubes.Lifecycle.Daemons;

/// <summary>A daemon that an earlier run has left.</summary>
/// <param name="Daemon">It.</param>
/// <param name="IsOurs">It runs as the account that daemons run as now.</param>
internal readonly record struct FoundDaemon(QubeDaemon Daemon, bool IsOurs);
