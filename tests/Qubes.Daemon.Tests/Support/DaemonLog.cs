using System.Text;
using Qubes.Linux;

namespace Qubes.Daemon.Tests;

/// <summary>What a daemon logs, as it comes.</summary>
internal sealed class DaemonLog
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DaemonLog(AnonymousPipe pipe) => Whole = ReadAsync(pipe);

    /// <summary>All of it, once the daemon and what it has started have ended.</summary>
    public Task<string> Whole { get; }

    /// <summary>Waits until it says this; fails with all it has said instead.</summary>
    public async Task UntilAsync(string wanted)
    {
        using CancellationTokenSource patience = new(QubesdProcess.Patience);
        while (true)
        {
            string text;
            Task more;
            bool isWhole = Whole.IsCompleted;
            lock (_gate)
            {
                text = _text.ToString();
                more = _more.Task;
            }

            if (text.Contains(wanted, StringComparison.Ordinal))
            {
                return;
            }

            Assert.False(isWhole || patience.IsCancellationRequested, $"'{wanted}' is not in the log:\n{text}");
            await Task.WhenAny(more, Whole, Task.Delay(Timeout.Infinite, patience.Token));
        }
    }

    private async Task<string> ReadAsync(AnonymousPipe pipe)
    {
        await using Stream stream = pipe.OpenReader();
        using StreamReader reader = new(stream);
        char[] buffer = new char[4096];
        while (await reader.ReadAsync(buffer) is var count and > 0)
        {
            TaskCompletionSource told;
            lock (_gate)
            {
                _text.Append(buffer, 0, count);
                (told, _more) = (_more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            told.SetResult();
        }

        lock (_gate)
        {
            return _text.ToString();
        }
    }
}
