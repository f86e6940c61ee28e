using System.Text;
using Qubes.Protocol.Agents;

namespace Qubes.Fuzz.Targets;

/// <summary>Questions for a person: read or not, and what was read can be shown on a terminal and answered.</summary>
internal sealed class AgentRequestTarget : IFuzzTarget
{
    public string Name => "agent-request";

    public IEnumerable<byte[]> Seeds =>
    [
        Seed("policy.Ask dom0 name dom0", """{"source": "work", "service": "s", "argument": "+", "targets": ["a", "@dispvm:b"], "default_target": "a", "icons": {}}"""),
        Seed("device-agent.GUI dom0", """{"source": "usb", "device_name": "d", "argument": "sda", "targets": ["a"], "default_target": ""}"""),
        Seed("policy.Notify dom0", """{"resolution": "deny", "service": "s", "argument": "+", "source": "work", "target": "b"}"""),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (AgentRequest.TryParse(input) is { } request && request.ToString().AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw new InvalidOperationException("a text that a terminal would obey");
        }

        if (AgentRequest.TryParse(input) is AgentQuestion question && question.Targets.Any(t => t.AsSpan().ContainsAnyExceptInRange(' ', '~') || t.Length == 0))
        {
            throw new InvalidOperationException("a target that cannot be chosen");
        }
    }

    private static byte[] Seed(string descriptor, string json) => Encoding.ASCII.GetBytes(descriptor + '\0' + json);
}
