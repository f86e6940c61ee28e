using System.Runtime.InteropServices;

namespace Qubesd;

/// <summary>
/// SIGTERM and SIGINT ask for a clean end; the second of them, as for any process, ends it at once. SIGHUP has no meaning for
/// a daemon that reads its configuration when it is needed, and must not end it.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _cancellation = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnStop),
        PosixSignalRegistration.Create(PosixSignal.SIGINT, OnStop),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true),
    ];

    /// <summary>Fires when an end is asked for.</summary>
    public CancellationToken Token => _cancellation.Token;

    public Task WaitAsync() => _asked.Task;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _cancellation.Dispose();
    }

    private void OnStop(PosixSignalContext context)
    {
        context.Cancel = _asked.TrySetResult();
        if (context.Cancel)
        {
            _cancellation.Cancel();
        }
    }
}
