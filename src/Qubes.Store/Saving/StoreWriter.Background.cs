using Qubes.Protocol.Errors;

namespace Qubes.Store.Saving;

/// <summary>The file following the journal.</summary>
internal sealed partial class StoreWriter
{
    private void WantFile()
    {
        if (disk.Fill > MostFill)
        {
            _fileIsDue.TrySetResult();
        }

        if (_fileLoop.IsCompleted && !_closing.IsCancellationRequested)
        {
            _fileLoop = KeepFileCurrentAsync();
        }
    }

    private async Task KeepFileCurrentAsync()
    {
        bool hasFailed = false;
        do
        {
            await WaitAsync(hasFailed ? options.FileRetry : options.FileDelay);
            if (_closing.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await WriteFileAsync();
                if (hasFailed)
                {
                    hasFailed = false;
                    logger.FileCurrent(file.Path);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or QubesException or InvalidDataException)
            {
                hasFailed = true;
                logger.FileBehind(e, file.Path, disk.Fill);
            }
        }
        while (hasFailed || _savedRevision != _fileRevision);
    }

    private async Task WaitAsync(TimeSpan delay)
    {
        await Task.WhenAny(_fileIsDue.Task, Task.Delay(delay, time, _closing.Token));
        if (_fileIsDue.Task.IsCompleted)
        {
            _fileIsDue = new TaskCompletionSource();
        }
    }
}
