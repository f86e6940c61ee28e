using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>
/// One multi-step change of a pool's files under way. Order: <see cref="IntentLog.Begin"/> → build the new files under temporary names →
/// <see cref="Carry"/>. Disposed before that, the temporary files are removed.
/// </summary>
internal sealed class Intent : IDisposable
{
    private readonly IntentLog _log;
    private readonly string _file;
    private IntentRecord _record;
    private bool _isOver;

    internal Intent(IntentLog log, string file, IntentRecord record)
    {
        _log = log;
        _file = file;
        _record = record;
    }

    /// <summary>
    /// Decides for the change and carries it through. After the decision is durable the steps will be done, now or by recovery.
    /// </summary>
    public void Carry(IReadOnlyList<IntentStep> steps)
    {
        _record = _record with { IsDecided = true, Steps = steps };
        _log.Save(_file, _record);
        _isOver = true;
        FaultPoint.Hit("storage-intent-decided");
        _log.Finish(_file, _record);
    }

    public void Dispose()
    {
        if (!_isOver)
        {
            _isOver = true;
            _log.Finish(_file, _record);
        }
    }
}
