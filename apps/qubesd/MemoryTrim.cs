namespace Qubesd;

/// <summary>
/// Gives memory back that a start or many calls at once have left behind. The runtime keeps what a busy time needed for the next one, which may be
/// days away. A collection stops the daemon for some milliseconds, so it waits for a quiet moment.
/// </summary>
internal sealed class MemoryTrim : IDisposable
{
    // Without a collection of the runtime's own in it: next to nothing was allocated.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private readonly ITimer _timer;
    private int _collections;
    private long _kept;

    public MemoryTrim(TimeProvider time) => _timer = time.CreateTimer(_ => TrimIfQuiet(), state: null, Quiet, Quiet);

    public void Dispose() => _timer.Dispose();

    private void TrimIfQuiet()
    {
        int collections = GC.CollectionCount(0);
        bool isQuiet = collections == _collections;
        _collections = collections;
        if (!isQuiet || GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes <= 2 * _kept)
        {
            return;
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _collections = GC.CollectionCount(0);
        _kept = GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes;
    }
}
