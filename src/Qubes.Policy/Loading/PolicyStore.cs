using Qubes.Linux;

namespace Qubes.Policy.Loading;

/// <summary>
/// The policy in force. <see cref="Current"/> looks at the stamps of everything the policy was made from and loads it anew if one
/// differs, so a change is in force for the first call after it; the policy itself is immutable and swapped as a whole, and
/// readers never wait unless it has to be loaded.
/// </summary>
public sealed class PolicyStore(IPolicySource source, TimeProvider time, Action<LoadedPolicy>? onLoaded = null)
{
    // A file written twice within one tick of the clock of the file system has the same stamp both times. A policy loaded from a file
    // so young is loaded again until the tick is over.
    private static readonly TimeSpan s_clockTick = TimeSpan.FromMilliseconds(20);

    private readonly Lock _loading = new();
    private volatile State? _state;
    private volatile Recently? _recent;

    /// <summary>
    /// The same for a thread that must not wait for files: completes at once if nothing changed, which costs a few look-ups of names
    /// the kernel has cached, and loads elsewhere otherwise.
    /// </summary>
    public ValueTask<LoadedPolicy> CurrentAsync(CancellationToken cancellationToken) =>
        _state is { } state && IsUpToDate(state)
            ? ValueTask.FromResult(state.Policy)
            : new ValueTask<LoadedPolicy>(Task.Run(Current, cancellationToken));

    /// <summary>
    /// What <see cref="Current"/> said last if that was within this millisecond, else what it says now: for many questions in a row.
    /// </summary>
    public LoadedPolicy Recent() => _recent is { } recent && recent.Tick == Environment.TickCount64 ? recent.Policy : Current();

    /// <summary>The policy as the files are now.</summary>
    public LoadedPolicy Current()
    {
        long tick = Environment.TickCount64;
        LoadedPolicy policy = Find();
        _recent = new Recently(policy, tick);
        return policy;
    }

    private LoadedPolicy Find()
    {
        if (_state is { } state && IsUpToDate(state))
        {
            return state.Policy;
        }

        lock (_loading)
        {
            if (_state is { } loaded && IsUpToDate(loaded))
            {
                return loaded.Policy;
            }

            DateTimeOffset started = time.GetUtcNow();
            LoadedPolicy policy = PolicyLoader.Load(source);
            bool isNews = _state is not { } before || !IsUnchanged(before.Policy) || before.Policy.ErrorSummary != policy.ErrorSummary;
            _state = new State(policy, IsSettled(policy, started) && !policy.IsUnreadable);
            if (isNews)
            {
                onLoaded?.Invoke(policy);
            }

            return policy;
        }
    }

    private bool IsUpToDate(State state) => state.IsSettled && IsUnchanged(state.Policy);

    private bool IsUnchanged(LoadedPolicy policy)
    {
        foreach (PolicyDependency dependency in policy.Dependencies)
        {
            if (source.Stamp(dependency.Path) != dependency.Stamp)
            {
                return false;
            }
        }

        return true;
    }

    // A time in the future means the clock was set back; a further change would then have another time.
    private static bool IsSettled(LoadedPolicy policy, DateTimeOffset started)
    {
        foreach (PolicyDependency dependency in policy.Dependencies)
        {
            if ((started - TimeOf(dependency.Stamp)).Duration() < s_clockTick)
            {
                return false;
            }
        }

        return true;
    }

    private static DateTimeOffset TimeOf(FileStamp stamp) =>
        DateTimeOffset.UnixEpoch.AddTicks(stamp.Changed / TimeSpan.NanosecondsPerTick);

    private sealed record Recently(LoadedPolicy Policy, long Tick);

    private sealed record State(LoadedPolicy Policy, bool IsSettled);
}
