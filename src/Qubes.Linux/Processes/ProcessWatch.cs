using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// A running process that somebody else started, such as a helper that outlived an earlier run of the daemon. Held by a pidfd,
/// so a reused number is never mistaken for it; its exit status belongs to its parent.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "The handle is needed until the process ends, and is closed then.")]
public sealed class ProcessWatch
{
    private readonly PidHandle _handle;
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ProcessWatch(int id, PidHandle handle)
    {
        Id = id;
        _handle = handle;
    }

    public int Id { get; }

    /// <summary>Completes when the process has ended.</summary>
    public Task Exited => _exited.Task;

    /// <summary>Null when no process has that number. Check what it is (for example by a socket it serves) after this call, not before.</summary>
    public static ProcessWatch? TryOpen(int processId)
    {
        var handle = ProcessCalls.PidFdOpen(processId, 0);
        if (handle.IsInvalid)
        {
            handle.Dispose();
            return null;
        }

        var watch = new ProcessWatch(processId, handle);
        ProcessWatcher.Watch(handle, () =>
        {
            watch._exited.TrySetResult();
            handle.Dispose();
        });
        return watch;
    }

    /// <summary>Sends a signal. Ended already, or not permitted: false.</summary>
    public unsafe bool Kill(int signal = ChildProcess.SIGKILL)
    {
        try
        {
            return !_exited.Task.IsCompleted && ProcessCalls.PidFdSendSignal(_handle, signal, null, 0) == 0;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }
}
