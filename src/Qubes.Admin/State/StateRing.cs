namespace Qubes.Admin.State;

/// <summary>The last told changes, bounded in number and in bytes; the oldest go first.</summary>
internal sealed class StateRing(StateFeedLimits limits)
{
    private readonly Queue<StateEntry> _entries = new();
    private long _bytes;

    /// <summary>The number before that of the oldest entry kept: the oldest position that can be followed from.</summary>
    public long OldestStart { get; private set; }

    public void Add(StateEntry entry)
    {
        _entries.Enqueue(entry);
        _bytes += entry.Messages.Length;
        while (_entries.Count > limits.KeptChanges || _bytes > limits.KeptBytes)
        {
            StateEntry oldest = _entries.Dequeue();
            _bytes -= oldest.Messages.Length;
            OldestStart = oldest.Number;
        }
    }

    /// <summary>The entries after a position that is kept, oldest first.</summary>
    public IReadOnlyList<StateEntry> After(long number) => [.. _entries.Where(entry => entry.Number > number)];
}
