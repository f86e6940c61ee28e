using Qubes.Linux;

namespace Qubes.Lifecycle.Daemons;

/// <summary>What became of an attempt to start a daemon.</summary>
/// <param name="Daemon">It runs and is ready; null if not, and then it does not run either.</param>
/// <param name="Exit">It ended by itself like this; null if it took too long or was given up.</param>
internal readonly record struct DaemonStart(QubeDaemon? Daemon, ProcessExit? Exit);
