using Qubes.Model.Classes;
using Qubes.Policy.Evaluation;
using Qubes.Policy.Service;
using Qubes.Protocol.Audit;

namespace Qubes.Admin.Audit;

/// <summary>
/// Remembers which line of policy let a call through, from the decision until the call arrives from qrexec; records at once what policy
/// refused. A call without such a line was made on the socket itself.
/// </summary>
public sealed class PolicyTrail(AuditLog audit, TimeProvider time)
{
    private const int MostRemembered = 4096;
    private const string AdminPrefix = "admin.";

    // From the answer of policy to the connection, which qrexec makes at once.
    private static readonly TimeSpan LongestWay = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<Key, (string Place, long When)> _allowed = [];
    private readonly Queue<(Key Key, long When)> _order = new();

    /// <summary>Takes a decision of the policy service.</summary>
    public void Note(PolicyQuery query, PolicyDecision decision)
    {
        ArgumentNullException.ThrowIfNull(query);
        PolicyCall call = query.Call;
        if (query.JustEvaluate || !call.ServiceAndArgument.StartsWith(AdminPrefix, StringComparison.Ordinal))
        {
            return;
        }

        string argument = call.Argument.Length > 0 ? call.Argument[1..] : "";
        if (decision is CallAllowed allowed)
        {
            string target = allowed.Request.Target.Text;
            Remember(new Key(allowed.Request.Source.Text, call.Service, argument, target == "@adminvm" ? "dom0" : target), allowed.Rule.Place.ToString());
            return;
        }

        audit.Add(new AuditEntry
        {
            Time = time.GetUtcNow().UtcDateTime,
            Source = call.Source,
            Call = call.Service,
            Argument = argument,
            Target = call.IntendedTarget,
            Outcome = AuditEntry.DeniedByPolicy,
            Policy = decision?.DecidedBy?.Place.ToString(),
        });
    }

    /// <summary>The line that let this call through, <c>FILE:LINE</c>; null if none was asked for it.</summary>
    public string? Find(string source, string method, string argument, Qube target)
    {
        ArgumentNullException.ThrowIfNull(target);
        lock (_gate)
        {
            if (_allowed.Count == 0)
            {
                return null;
            }

            return Find(new Key(source, method, argument, target.Name)) ?? Find(new Key(source, method, argument, "uuid:" + target.Uuid));
        }
    }

    private string? Find(Key key) =>
        _allowed.TryGetValue(key, out (string Place, long When) found) && time.GetElapsedTime(found.When) <= LongestWay ? found.Place : null;

    private void Remember(Key key, string place)
    {
        long now = time.GetTimestamp();
        lock (_gate)
        {
            _allowed[key] = (place, now);
            _order.Enqueue((key, now));
            while (_order.Count > MostRemembered || (_order.TryPeek(out (Key, long When) oldest) && time.GetElapsedTime(oldest.When, now) > LongestWay))
            {
                (Key old, long when) = _order.Dequeue();
                if (_allowed.TryGetValue(old, out (string Place, long When) held) && held.When == when)
                {
                    _allowed.Remove(old);
                }
            }
        }
    }

    private readonly record struct Key(string Source, string Service, string Argument, string Target);
}
