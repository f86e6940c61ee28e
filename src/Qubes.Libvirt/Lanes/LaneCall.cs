using System.Runtime.ExceptionServices;

namespace Qubes.Libvirt;

/// <summary>One call queued on a lane. Its state is guarded by the lane set's gate.</summary>
internal abstract class LaneCall(Lane lane, string name)
{
    internal enum Phase
    {
        Waiting,
        UnderWay,

        /// <summary>Overdue while under way: its caller has been told, its thread is written off.</summary>
        Hung,

        /// <summary>Overdue or cancelled while waiting: it is never begun.</summary>
        Abandoned,
        Done,
    }

    internal Lane Lane { get; } = lane;

    internal string Name { get; } = name;

    internal Phase State { get; set; } = Phase.Waiting;

    internal DateTimeOffset Since { get; set; }

    internal ITimer? Deadline { get; set; }

    internal CancellationTokenRegistration Cancellation { get; set; }

    /// <summary>Makes the call on a worker's thread and keeps its outcome.</summary>
    internal abstract void Invoke(LaneConnection connection);

    /// <summary>Hands the kept outcome to the caller, unless it was told otherwise before.</summary>
    internal abstract void Complete();

    internal abstract void Fail(Exception failure);

    internal abstract void Cancel(CancellationToken token);
}

/// <inheritdoc cref="LaneCall"/>
internal sealed class LaneCall<T>(Lane lane, string name, Func<LibvirtConnection, T> function) : LaneCall(lane, name)
{
    private readonly TaskCompletionSource<T> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;
    private ExceptionDispatchInfo? _failure;

    internal Task<T> Outcome => _outcome.Task;

    internal override void Invoke(LaneConnection connection)
    {
        try
        {
            _result = connection.Call(function);
        }
        catch (Exception failure)
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }
    }

    internal override void Complete()
    {
        if (_failure is null)
            _outcome.TrySetResult(_result!);
        else
            _outcome.TrySetException(_failure.SourceException);
    }

    internal override void Fail(Exception failure) => _outcome.TrySetException(failure);

    internal override void Cancel(CancellationToken token) => _outcome.TrySetCanceled(token);
}
