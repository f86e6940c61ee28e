using Microsoft.Extensions.Logging;
using Qubes.Protocol.Audit;

namespace Qubes.Admin.Audit;

/// <summary>
/// Takes records of calls off the model loop, at the cost of a place in a list, and has them written by a thread of its own. The
/// daemon never waits for it: what the disk does not take waits here, within limits, and what is lost then is counted and recorded.
/// </summary>
public sealed class AuditLog : IAsyncDisposable
{
    private readonly AuditOptions _options;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly object _gate = new();

    // Guarded by _gate, held for a few instructions. The thread swaps the list for an empty one.
    private List<AuditEntry> _waiting = [];
    private long _lost;
    private bool _isIdle;
    private bool _isStopping;
    private TaskCompletionSource? _drained;

    // The thread's own.
    private readonly AuditWriter _writer;
    private bool _isFailing;

    /// <summary>Begins the log. Nothing is opened yet: the start of the daemon does not wait for it.</summary>
    public AuditLog(AuditOptions options, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _logger = logger;
        _writer = new AuditWriter(options, time);
        _thread = new Thread(Run) { Name = "audit", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Takes one record; from any thread, never waits.</summary>
    public void Add(in AuditEntry entry)
    {
        lock (_gate)
        {
            if (_waiting.Count >= _options.Waiting || _isStopping)
            {
                _lost++;
                return;
            }

            _waiting.Add(entry);
            if (_isIdle)
            {
                _isIdle = false;
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>Completes when everything added before is in the file.</summary>
    public Task FlushAsync()
    {
        lock (_gate)
        {
            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _isIdle = false;
            Monitor.Pulse(_gate);
            return _drained.Task;
        }
    }

    /// <summary>Writes what waits and the mark of a clean end. A disk that takes nothing gets one more try.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.Pulse(_gate);
        }

        await _ended.Task;
    }

    private void Run()
    {
        List<AuditEntry> batch = [];

        // The start is told at once, not with the first call.
        _ = TryWrite(batch, lost: 0, isStopping: false);
        while (true)
        {
            (bool isStopping, TaskCompletionSource? drained, long lost) = Collect(ref batch);
            bool written = TryWrite(batch, lost, isStopping);
            if (written || isStopping)
            {
                batch.Clear();
                drained?.TrySetResult();
            }
            else
            {
                KeepForLater(batch, drained, lost);
            }

            if (isStopping)
            {
                _writer.Dispose();
                _ended.SetResult();
                return;
            }
        }
    }

    /// <summary>Waits for records, and then a moment for more of them.</summary>
    private (bool IsStopping, TaskCompletionSource? Drained, long Lost) Collect(ref List<AuditEntry> batch)
    {
        lock (_gate)
        {
            if (_isFailing && !_isStopping)
            {
                Monitor.Wait(_gate, _options.RetryAfter);
            }

            if (_waiting.Count == 0 && !_isStopping && !_isFailing && _drained is null)
            {
                _isIdle = true;
                Monitor.Wait(_gate, _writer.IsSynced ? Timeout.InfiniteTimeSpan : _options.SyncPeriod);
                _isIdle = false;
            }

            if (_waiting.Count > 0 && !_isStopping && _drained is null)
            {
                Monitor.Wait(_gate, _options.Linger);
            }

            (batch, _waiting) = (_waiting, batch);
            (TaskCompletionSource? drained, _drained) = (_drained, null);
            long lost = _lost;
            _lost = 0;
            return (_isStopping, drained, lost);
        }
    }

    private bool TryWrite(List<AuditEntry> batch, long lost, bool isStopping)
    {
        try
        {
            _writer.Open();
            _writer.Write(batch);
            if (lost > 0)
            {
                _writer.WriteGap(lost, _writer.LastFailure ?? "too many calls at a time");
            }

            if (isStopping)
            {
                _writer.WriteStop();
            }

            _writer.SyncIfDue(isStopping);
            if (_isFailing)
            {
                _isFailing = false;
                _writer.LastFailure = null;
                _logger.LogWarning("The audit log can be written again, {Lost} records were lost", lost);
            }

            return true;
        }
        catch (Exception e)
        {
            if (!_isFailing)
            {
                _isFailing = true;
                _logger.LogError(e, "The audit log in {Directory} cannot be written", _options.Directory);
            }

            _writer.LastFailure = e.Message;
            return false;
        }
    }

    /// <summary>What was not written yet goes before what came meanwhile; beyond the limit the newest go.</summary>
    private void KeepForLater(List<AuditEntry> batch, TaskCompletionSource? drained, long lost)
    {
        batch.RemoveRange(0, _writer.WrittenOfBatch);
        lock (_gate)
        {
            batch.AddRange(_waiting);
            int beyond = Math.Max(0, batch.Count - _options.Waiting);
            batch.RemoveRange(batch.Count - beyond, beyond);
            _waiting.Clear();
            _waiting.AddRange(batch);
            _lost += lost + beyond;
            drained?.TrySetException(new IOException(_writer.LastFailure));
        }

        batch.Clear();
    }
}
