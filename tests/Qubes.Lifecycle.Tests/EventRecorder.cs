using Qubes.Model.Events;
using Qubes.Protocol.Events;

namespace Qubes.Lifecycle.Tests;

/// <summary>Keeps the names of events as clients would see them, and lets a test wait for one.</summary>
internal sealed class EventRecorder : IEventObserver
{
    private readonly Lock _gate = new();
    private readonly List<(string Subject, string Name)> _seen = [];
    private readonly List<(string Subject, string Name, TaskCompletionSource<string> Seen)> _waiters = [];

    public void OnEvent(QubesEvent qubesEvent)
    {
        lock (_gate)
        {
            _seen.Add((qubesEvent.Subject.SubjectText, qubesEvent.Name));
            foreach ((string subject, string name, TaskCompletionSource<string> seen) in _waiters)
            {
                if (subject == qubesEvent.Subject.SubjectText && name == qubesEvent.Name)
                    seen.TrySetResult(string.Concat(qubesEvent.Arguments.Items.ToArray().Select(a => $"{a.Key}|{EventValue.ToText(a.Value)}|")));
            }
        }
    }

    /// <summary>The lifecycle's events of one qube so far.</summary>
    public IReadOnlyList<string> Of(string subject)
    {
        lock (_gate)
        {
            return [.. _seen.Where(seen => seen.Subject == subject
                && (seen.Name.StartsWith("domain-", StringComparison.Ordinal) || seen.Name.StartsWith("property-reset:", StringComparison.Ordinal))
                && !seen.Name.StartsWith("domain-feature", StringComparison.Ordinal) && !seen.Name.StartsWith("domain-tag", StringComparison.Ordinal))
                .Select(seen => seen.Name)];
        }
    }

    public void Clear()
    {
        lock (_gate)
            _seen.Clear();
    }

    /// <summary>Completes at the next event of that name, from this call on, with its arguments: names and values, <c>|</c> after each.</summary>
    public Task<string> NextAsync(string subject, string name)
    {
        TaskCompletionSource<string> seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _waiters.Add((subject, name, seen));
        return seen.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }
}
