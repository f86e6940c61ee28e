using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Qubes.Linux;

/// <summary>
/// The undo of a change made in several steps: each step pushes how to take it back; leaving the scope without
/// <see cref="Commit"/> runs them, newest first.
/// </summary>
/// <remarks>
/// <c>await using var rollback = new Rollback(log); … rollback.Push("volumes", …); … rollback.Commit();</c>
/// An undo step that fails is logged and does not keep the others from running, nor does it hide the failure that
/// caused the roll-back. Not thread-safe: it belongs to the one method that makes the change.
/// </remarks>
public sealed class Rollback(ILogger? log = null) : IAsyncDisposable
{
    private readonly ILogger _log = log ?? NullLogger.Instance;
    private readonly Stack<(string Name, Func<ValueTask> Undo)> _steps = new();

    /// <summary>Adds a step.</summary>
    /// <param name="name">What is undone, for the log: "volume root", "directory".</param>
    public void Push(string name, Func<ValueTask> undo) => _steps.Push((name, undo));

    /// <summary>Adds a synchronous step.</summary>
    public void Push(string name, Action undo) => _steps.Push((name, () =>
    {
        undo();
        return ValueTask.CompletedTask;
    }));

    /// <summary>The change stands: forget the undo steps.</summary>
    public void Commit() => _steps.Clear();

    public async ValueTask DisposeAsync()
    {
        while (_steps.TryPop(out var step))
        {
            try
            {
                await step.Undo();
            }
            catch (Exception failure)
            {
                _log.LogError(failure, "Undoing '{Step}' failed", step.Name);
            }
        }
    }
}
