using System.Runtime.InteropServices;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>A program we started, held by a pidfd: signals reach it and nobody else.</summary>
/// <remarks>It is reaped, and its handle closed, as soon as it ends: nothing is to be disposed, and dropping the object leaves it running.</remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "The handle must live until the process is reaped, and is closed then.")]
public sealed class ChildProcess
{
    public const int SIGINT = 2;
    public const int SIGKILL = 9;
    public const int SIGTERM = 15;

    private readonly PidHandle _handle;
    private readonly TaskCompletionSource<ProcessExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool _leadsGroup;

    private ChildProcess(int id, PidHandle handle, bool leadsGroup)
    {
        Id = id;
        _handle = handle;
        _leadsGroup = leadsGroup;
    }

    public int Id { get; }

    /// <summary>Completes when the process has ended and is reaped.</summary>
    public Task<ProcessExit> Exited => _exited.Task;

    /// <exception cref="LinuxException">The program cannot be started; <see cref="LinuxException.Errno"/> says why.</exception>
    public static ChildProcess Start(ChildProcessOptions options)
    {
        var id = ProcessSpawner.Spawn(options);
        // The number is ours until we reap it, so there is no race between these two calls.
        var handle = ProcessCalls.PidFdOpen(id, 0);
        if (handle.IsInvalid)
            throw LinuxException.FromLastError("pidfd_open");
        var process = new ChildProcess(id, handle, options.NewSession);
        ProcessWatcher.Watch(handle, process.Reap);
        return process;
    }

    /// <summary>Sends a signal to the process. Ended already: does nothing.</summary>
    public unsafe void Kill(int signal = SIGKILL)
    {
        if (_exited.Task.IsCompleted)
            return;
        try
        {
            if (ProcessCalls.PidFdSendSignal(_handle, signal, null, 0) != 0 && Marshal.GetLastPInvokeError() != Errno.ESRCH)
                throw LinuxException.FromLastError("pidfd_send_signal");
        }
        catch (ObjectDisposedException)
        {
            // It ended between the two statements.
        }
    }

    /// <summary>Sends a signal to the process and its descendants that stayed in its session's group.</summary>
    public void KillGroup(int signal = SIGKILL)
    {
        if (!_leadsGroup)
            Kill(signal);
        else if (!_exited.Task.IsCompleted)
            _ = ProcessCalls.Kill(-Id, signal);
    }

    private unsafe void Reap()
    {
        // siginfo_t of SIGCHLD on 64-bit Linux: si_code i32 @8 (1 = exited, 2 and 3 = killed), si_status i32 @24
        byte* info = stackalloc byte[ProcessCalls.SignalInfoSize];
        var result = ProcessCalls.WaitId(ProcessCalls.P_PIDFD, (uint)_handle.DangerousGetHandle(), info, ProcessCalls.WEXITED);
        if (result == 0)
            _exited.TrySetResult(new ProcessExit(*(int*)(info + 24), IsSignal: *(int*)(info + 8) != 1));
        else
            _exited.TrySetException(LinuxException.FromLastError("waitid"));
        _handle.Dispose();
    }
}
