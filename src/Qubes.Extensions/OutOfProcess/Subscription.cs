using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Model.Classes;
using Qubes.Model.Events;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>Which events an extension wants to hear of, or to be asked about.</summary>
/// <param name="Pattern">The event's name, with wildcards.</param>
/// <param name="IsCall">The daemon asks, and waits for the answer; otherwise it tells, after the change is durable.</param>
/// <param name="Subject">A qube's name, empty for the application; null: any.</param>
/// <param name="QubeClass">Only qubes of this class; null: any.</param>
internal sealed record Subscription(EventPattern Pattern, bool IsCall, string? Subject, string? QubeClass)
{
    // {"event": PATTERN, "mode": "notify"|"call", "subject": NAME, "class": CLASS}, all but event optional

    /// <exception cref="RpcException">It makes no sense.</exception>
    public static Subscription Parse(RpcParams untrusted)
    {
        string pattern = untrusted.Text("event");
        bool isCall = untrusted.OptionalText("mode") switch
        {
            null or "notify" => false,
            "call" => true,
            _ => throw RpcException.InvalidParams("'mode' must be notify or call"),
        };
        if ((isCall ? CallableEvents.Check(pattern) : CallableEvents.CheckForm(pattern)) is { } reason)
        {
            throw RpcException.InvalidParams($"event '{pattern}': {reason}");
        }

        if (!isCall && CallableEvents.IsPermission(pattern))
        {
            throw RpcException.InvalidParams($"event '{pattern}': permission events are asked about, not told of");
        }

        return new Subscription(new EventPattern(pattern), isCall, untrusted.OptionalText("subject"), untrusted.OptionalText("class"));
    }

    public bool Covers(EventSubject subject) =>
        (Subject is null || Subject == subject.SubjectText) && (QubeClass is null || (subject is Qube qube && qube.Klass == QubeClass));

    public bool Covers(QubesEvent happened) => Covers(happened.Subject) && Pattern.Matches(happened.Name);
}
