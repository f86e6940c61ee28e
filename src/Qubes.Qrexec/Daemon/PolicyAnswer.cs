using System.Text;

namespace Qubes.Qrexec.Daemon;

/// <summary>
/// The text the policy socket (or program) answers with.
/// <code>
///   result=allow|deny LF
///   key=value LF ...      the last LF may be missing
/// </code>
/// </summary>
public static class PolicyAnswer
{
    /// <summary>Longest answer accepted, in bytes.</summary>
    public const int MaxLength = 4095;

    private static readonly string[] RequiredForAllow = ["user", "target", "requested_target", "autostart"];

    /// <summary>Reads an answer; null when it is malformed, which never allows anything.</summary>
    public static PolicyDecision? TryParse(ReadOnlySpan<byte> answer)
    {
        if (answer.Length is 0 or > MaxLength || Decode(answer) is not { } text)
        {
            return null;
        }

        Dictionary<string, string> values = [];
        foreach (string line in (text.EndsWith('\n') ? text[..^1] : text).Split('\n'))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !values.TryAdd(line[..equals], line[(equals + 1)..]))
            {
                return null;
            }
        }

        return values.GetValueOrDefault("result") switch
        {
            "deny" => Array.Exists(RequiredForAllow, values.ContainsKey) ? null : new PolicyDenied(),
            "allow" => Allowed(values),
            _ => null,
        };
    }

    private static PolicyAllowed? Allowed(Dictionary<string, string> values)
    {
        if (!Array.TrueForAll(RequiredForAllow, values.ContainsKey) || values["autostart"] is not ("True" or "False"))
        {
            return null;
        }

        return new PolicyAllowed(
            values["user"],
            values["target"],
            values.GetValueOrDefault("target_uuid"),
            values["requested_target"],
            values["autostart"] == "True",
            values.GetValueOrDefault("service"),
            values.GetValueOrDefault("policy_source"));
    }

    // Names of qubes, users and services are ASCII; an answer with anything else is not one of ours.
    private static string? Decode(ReadOnlySpan<byte> answer) =>
        answer.Contains((byte)0) || !Ascii.IsValid(answer) ? null : Encoding.ASCII.GetString(answer);
}
