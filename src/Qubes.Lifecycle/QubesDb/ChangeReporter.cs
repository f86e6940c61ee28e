using Microsoft.Extensions.Logging;
using Qubes.Linux;

namespace Qubes.Lifecycle.QubesDb;

/// <summary>
/// Brings what watches tell to the model loop. A guest may change its keys as fast as it likes: changes of one path that nobody has
/// been told of yet are one, batches follow each other with a pause, and while a batch is full nothing further is received.
/// </summary>
/// <param name="tell">Called on the model loop.</param>
internal sealed class ChangeReporter(ModelLoop loop, Action<string> tell, TimeProvider time, ILogger log)
{
    private const int BatchSize = 64;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<string> _waiting = [];
    private TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isRunning;

    /// <summary>A path has changed. Waits while too many have.</summary>
    public Task ReportAsync(string path)
    {
        lock (_gate)
        {
            if (_known.Add(path))
            {
                _waiting.Add(path);
            }

            if (!_isRunning)
            {
                _isRunning = true;
                _ = Task.Run(RunAsync);
            }

            return _waiting.Count < BatchSize ? Task.CompletedTask : _taken.Task;
        }
    }

    private async Task RunAsync()
    {
        while (Take() is { Length: > 0 } batch)
        {
            await loop.InvokeAsync(() => Array.ForEach(batch, Tell));
            await Task.Delay(Pause, time);
        }
    }

    private string[] Take()
    {
        lock (_gate)
        {
            string[] batch = [.. _waiting];
            _waiting.Clear();
            _known.Clear();
            _taken.TrySetResult();
            _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _isRunning = batch.Length > 0;
            return batch;
        }
    }

    private void Tell(string path)
    {
        try
        {
            tell(path);
        }
        catch (Exception failure)
        {
            log.LogError(failure, "A handler of a QubesDB change failed ({Path})", LogText.Escape(path));
        }
    }
}
