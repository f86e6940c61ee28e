using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Events;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>
/// A refusal an extension has published in advance, for pre-events at which the daemon cannot wait for it: properties, features
/// and the like.
/// </summary>
internal sealed class VetoRule
{
    public const int MaxConditions = 16;

    private readonly EventPattern _pattern;
    private readonly string? _subject;
    private readonly string? _tag;
    private readonly string? _class;
    private readonly IReadOnlyList<(string Key, EventPattern Value)> _conditions;
    private readonly string _message;
    private readonly string _type;

    private VetoRule(EventPattern pattern, string? subject, string? tag, string? qubeClass, IReadOnlyList<(string, EventPattern)> conditions, string message, string type)
    {
        _pattern = pattern;
        _subject = subject;
        _tag = tag;
        _class = qubeClass;
        _conditions = conditions;
        _message = message;
        _type = type;
    }

    public string Pattern => _pattern.ToString();

    // {"event": PATTERN, "subject": NAME, "tag": TAG, "class": CLASS, "when": {ARGUMENT: PATTERN, …}, "deny": TEXT, "type": EXCEPTION}
    // event and deny are needed. All that is given must hold; patterns of "when" are matched against the argument's text.

    /// <exception cref="RpcException">It makes no sense.</exception>
    public static VetoRule Parse(RpcParams untrusted)
    {
        string pattern = untrusted.Text("event");
        if (CallableEvents.CheckForm(pattern) is { } reason)
        {
            throw RpcException.InvalidParams(reason);
        }

        string baseName = pattern.Split(':', 2)[0];
        if (baseName != "admin-permission" && (!baseName.Contains("-pre-", StringComparison.Ordinal) || baseName.AsSpan().ContainsAny("*?[")))
        {
            throw RpcException.InvalidParams($"event '{pattern}': only pre-events can be refused, and their name before the colon is written out");
        }

        return new VetoRule(new EventPattern(pattern), untrusted.OptionalText("subject"), untrusted.OptionalText("tag"), untrusted.OptionalText("class"),
            [.. untrusted.TextMap("when", MaxConditions).Select(c => (c.Key, new EventPattern(c.Value)))],
            Refusal.Text(untrusted.Text("deny", Refusal.MaxTextLength)), Refusal.TypeOf(untrusted.OptionalText("type"), pattern));
    }

    /// <exception cref="QubesException">The rule refuses the event.</exception>
    public void Apply(QubesEvent happened)
    {
        if ((_subject is null || _subject == happened.Subject.SubjectText)
            && (_tag is null || (happened.Subject is Qube qube && qube.Tags.Contains(_tag)))
            && (_class is null || (happened.Subject is Qube one && one.Klass == _class))
            && _conditions.All(c => happened.Arguments.TryGet(c.Key, out object? value) && c.Value.Matches(EventValue.ToText(value))))
        {
            throw Refusal.Of(_type, _message);
        }
    }
}
