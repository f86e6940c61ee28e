using System.Text;
using Qubes.Admin.Calls;
using Qubes.Protocol.Admin;
using Qubes.Protocol.Audit;

namespace Qubes.Admin.Audit;

/// <summary>Makes the audit record of each call the dispatcher has answered. Belongs to the model loop.</summary>
/// <param name="audit">Where records go.</param>
/// <param name="trail">Which line of policy let calls through.</param>
/// <param name="time">For time and duration.</param>
public sealed class CallRecorder(AuditLog audit, PolicyTrail trail, TimeProvider time)
{
    // Of a request that could not be understood; what there is of it is shown in the record.
    private const int LongestPart = AuditFormat.LongestArgument;

    /// <summary>When handling begins.</summary>
    public long Begin() => time.GetTimestamp();

    /// <summary>Records a call that was answered, or that became a stream.</summary>
    internal void Record(AdminCall call, string outcome) => audit.Add(new AuditEntry
    {
        Time = time.GetUtcNow().UtcDateTime,
        Source = call.Source.Name.Value,
        Call = call.Method.Name,
        Argument = call.UntrustedArgument,
        Target = call.Destination.Name.Value,
        Outcome = outcome,
        Duration = time.GetElapsedTime(call.Began),
        Policy = trail.Find(call.Source.Name.Value, call.Method.Name, call.UntrustedArgument, call.Destination),
        UserId = call.PeerUserId,
    });

    /// <summary>Records a request that did not get as far as being a call.</summary>
    internal void RecordRefused(ReadOnlySpan<byte> untrustedRequest, string outcome, long began, uint? peerUserId)
    {
        _ = AdminRequest.TryParse(untrustedRequest, out AdminRequest request);
        audit.Add(new AuditEntry
        {
            Time = time.GetUtcNow().UtcDateTime,
            Source = Part(request.UntrustedSource),
            Call = Part(request.UntrustedMethod),
            Argument = Part(request.UntrustedArgument),
            Target = Part(request.UntrustedDestination),
            Outcome = outcome,
            Duration = time.GetElapsedTime(began),
            UserId = peerUserId,
        });
    }

    private static string Part(ReadOnlySpan<byte> untrustedPart) =>
        Encoding.ASCII.GetString(untrustedPart.Length > LongestPart + 1 ? untrustedPart[..(LongestPart + 1)] : untrustedPart);
}
