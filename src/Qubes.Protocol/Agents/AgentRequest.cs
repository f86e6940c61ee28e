using System.Text;
using System.Text.Json;

namespace Qubes.Protocol.Agents;

/// <summary>
/// What the agent in a person's session is called with, an <see cref="AgentQuestion"/> or an <see cref="AgentNotice"/>. Layout:
/// <code>
/// SERVICE SP SOURCE [SP ...] NUL JSON EOF          all of it ASCII
/// policy.Ask        {"source", "service", "argument", "targets": [NAME...], "default_target": NAME or ""}
/// policy.Notify     {"resolution", "source", "service", "argument", "target"}
/// device-agent.GUI  {"source", "device_name", "argument", "targets": [NAME...], "default_target": NAME or ""}
/// </code>
/// Other members, such as <c>icons</c>, are for agents that draw.
/// </summary>
/// <param name="Source">The calling qube, or the one that has the device.</param>
public abstract record AgentRequest(string Source)
{
    public const string AskService = "policy.Ask";
    public const string NotifyService = "policy.Notify";
    public const string DeviceService = "device-agent.GUI";

    /// <summary>Bytes of a request. An icon for each of some thousand qubes fits in.</summary>
    public const int MostBytes = 1 << 20;

    private const int LongestText = 1024;
    private const int MostTargets = 10_000;

    /// <summary>Reads a whole request; null for one that is none, or not for an agent. Texts are printable ASCII.</summary>
    public static AgentRequest? TryParse(ReadOnlySpan<byte> untrustedRequest)
    {
        int end = untrustedRequest.IndexOf((byte)0);
        if (end < 0 || untrustedRequest.Length > MostBytes || !Ascii.IsValid(untrustedRequest))
        {
            return null;
        }

        string[] words = Encoding.ASCII.GetString(untrustedRequest[..end]).Split(' ');
        try
        {
            using JsonDocument document = JsonDocument.Parse(untrustedRequest[(end + 1)..].ToArray());
            JsonElement json = document.RootElement;
            return words.Length < 2 || json.ValueKind != JsonValueKind.Object ? null : words[0] switch
            {
                AskService => Question(json, "service", isDevice: false),
                DeviceService => Question(json, "device_name", isDevice: true),
                NotifyService => new AgentNotice(
                    Text(json, "source"), Text(json, "resolution"), Text(json, "service"), Text(json, "argument"), Text(json, "target")),
                _ => null,
            };
        }
        catch (Exception malformed) when (malformed is JsonException or FormatException)
        {
            return null;
        }
    }

    private static AgentQuestion Question(JsonElement json, string name, bool isDevice)
    {
        List<string> targets = [];
        foreach (JsonElement target in Member(json, "targets", JsonValueKind.Array).EnumerateArray())
        {
            targets.Add(Printable(target));
            if (targets.Count > MostTargets)
            {
                throw new FormatException("too many targets");
            }
        }

        if (targets.Contains("") || targets.Distinct(StringComparer.Ordinal).Count() != targets.Count)
        {
            throw new FormatException("a target that is empty or there twice");
        }

        string preferred = Text(json, "default_target");
        return new AgentQuestion(
            Text(json, "source"), Text(json, name), Text(json, "argument"), targets, targets.Contains(preferred) ? preferred : null, isDevice);
    }

    private static string Text(JsonElement json, string name) => Printable(Member(json, name, JsonValueKind.String));

    private static JsonElement Member(JsonElement json, string name, JsonValueKind kind) =>
        json.TryGetProperty(name, out JsonElement member) && member.ValueKind == kind ? member : throw new FormatException($"'{name}' is missing");

    private static string Printable(JsonElement element)
    {
        string untrusted = element.ValueKind == JsonValueKind.String ? ReadString(element) : throw new FormatException("not a text");
        return untrusted.Length <= LongestText && !untrusted.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? untrusted
            : throw new FormatException("a text that cannot be shown");
    }

    private static string ReadString(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // Half of a surrogate pair.
            throw new FormatException(e.Message, e);
        }
    }
}
