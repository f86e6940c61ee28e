using System.Globalization;
using Qubes.Protocol.Audit;
using Qvm.CommandLine;

namespace Qvm.Tools.Auditing;

/// <summary>Which records are wanted. Records about the log itself are shown only when nothing but time is asked for.</summary>
internal sealed class AuditFilter
{
    private readonly string? _source;
    private readonly string? _call;
    private readonly string? _target;
    private readonly string? _outcome;
    private readonly DateTime _since;
    private readonly DateTime _until;

    private AuditFilter(ParsedArguments arguments, DateTimeOffset now)
    {
        _source = arguments.Last("source");
        _call = arguments.Last("call");
        _target = arguments.Last("target");
        _outcome = arguments.Last("outcome");
        _since = arguments.Last("since") is { } since ? Time("since", since, now).UtcDateTime : DateTime.MinValue;
        _until = arguments.Last("until") is { } until ? Time("until", until, now).UtcDateTime : DateTime.MaxValue;
    }

    /// <exception cref="UsageException">A time is none.</exception>
    public static AuditFilter Of(ParsedArguments arguments, DateTimeOffset now) => new(arguments, now);

    public bool Matches(AuditRecord record)
    {
        if (record.Time < _since || record.Time > _until)
        {
            return false;
        }

        bool asksForCalls = _source is not null || _call is not null || _target is not null || _outcome is not null;
        return record.Event is null
            ? Is(_source, record.Source) && Is(_call, record.Call) && Is(_target, record.Target) && HasOutcome(record.Outcome)
            : !asksForCalls;
    }

    private bool HasOutcome(string outcome) => _outcome switch
    {
        "failed" => outcome != AuditEntry.Succeeded,
        "denied" => outcome is AuditEntry.DeniedByPolicy or "PermissionDenied",
        _ => Is(_outcome, outcome),
    };

    private static bool Is(string? pattern, string text) => pattern is null || ShellPattern.Matches(pattern, text);

    private static DateTimeOffset Time(string option, string text, DateTimeOffset now)
    {
        if (text is [.. string number, 's' or 'm' or 'h' or 'd']
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count))
        {
            return now - TimeSpan.FromSeconds((double)count * text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 86_400 });
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out DateTimeOffset time)
            ? time
            : throw new UsageException($"argument --{option}: not a time: '{text}'");
    }
}
