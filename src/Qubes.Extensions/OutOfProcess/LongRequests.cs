using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>
/// What one run of an extension is asked and may take any time for, as long as it is heard of: an answer to one such request, or the notification
/// <c>progress</c>, counts for all. One that falls silent is ended, so that nothing it was asked is still done when the same is asked again.
/// Belongs to the model loop.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "A semaphore nobody asked for its handle holds no native resource, and late waiters still look at it.")]
internal sealed class LongRequests(ExtensionSession session, TimeProvider time, TimeSpan longestSilence)
{
    /// <summary>What an extension tells while it works.</summary>
    public const string Progress = "progress";

    // More would only wait in the extension, and fill the room for messages it has not read.
    private const int AtOnce = 32;

    private readonly SemaphoreSlim _room = new(AtOnce, AtOnce);
    private long _lastHeard;

    public void NoteProgress() => _lastHeard = time.GetTimestamp();

    /// <exception cref="ExtensionGoneException">It ended before its answer.</exception>
    public async Task<RpcMessage> AskAsync(string method, Action<Utf8JsonWriter> parameters)
    {
        try
        {
            await _room.WaitAsync(session.Ended);
        }
        catch (OperationCanceledException)
        {
            throw new ExtensionGoneException("has ended");
        }

        try
        {
            return await session.AskAsync(method, parameters, answer => WaitAsync(answer, method));
        }
        finally
        {
            _room.Release();
        }
    }

    private async Task<RpcMessage> WaitAsync(Task<RpcMessage> answer, string method)
    {
        long asked = time.GetTimestamp();
        while (true)
        {
            TimeSpan silent = time.GetElapsedTime(Math.Max(asked, _lastHeard));
            if (silent >= longestSilence && !answer.IsCompleted)
            {
                session.Fail($"hangs: it was not heard of for {longestSilence.TotalSeconds} s after it was asked {method}");
            }

            try
            {
                RpcMessage message = await answer.WaitAsync(silent < longestSilence ? longestSilence - silent : Timeout.InfiniteTimeSpan, time);
                NoteProgress();
                return message;
            }
            catch (TimeoutException)
            {
                // Perhaps it was heard of meanwhile.
            }
        }
    }
}
