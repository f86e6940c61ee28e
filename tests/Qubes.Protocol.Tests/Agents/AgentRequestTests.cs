using System.Text;
using System.Text.Json;
using CsCheck;
using Qubes.Protocol.Agents;

namespace Qubes.Protocol.Tests.Agents;

public sealed class AgentRequestTests
{
    private const string Ask =
        """{"source": "work", "service": "qubes.Filecopy", "argument": "+", "targets": ["vault", "@dispvm:dvm"], "default_target": "vault", "icons": {"vault": "appvm-black"}}""";

    private static AgentRequest? Parse(string text) => AgentRequest.TryParse(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void A_question_about_a_call()
    {
        // In dom0 the descriptor names a target, in a GUI qube it does not.
        foreach (string descriptor in (string[])["policy.Ask dom0 name dom0", "policy.Ask dom0"])
        {
            AgentQuestion question = Assert.IsType<AgentQuestion>(Parse(descriptor + '\0' + Ask));
            Assert.Equal(("work", "qubes.Filecopy", "+", "vault", false),
                (question.Source, question.Name, question.Argument, question.DefaultTarget, question.IsDevice));
            Assert.Equal(["vault", "@dispvm:dvm"], question.Targets);
        }
    }

    [Fact]
    public void A_question_about_a_device_and_a_notice()
    {
        AgentQuestion question = Assert.IsType<AgentQuestion>(Parse(
            "device-agent.GUI dom0 name dom0\0" + """{"source": "sys-usb", "device_name": "a disk", "argument": "sda", "targets": ["a", "b"], "default_target": ""}"""));
        Assert.Equal(("sys-usb", "a disk", "sda", null, true),
            (question.Source, question.Name, question.Argument, question.DefaultTarget, question.IsDevice));
        Assert.Equal(
            new AgentNotice("work", "deny", "qubes.X", "+a", "vault"),
            Parse("policy.Notify dom0\0" + """{"resolution": "deny", "service": "qubes.X", "argument": "+a", "source": "work", "target": "vault"}"""));
    }

    [Theory]
    [InlineData("")]
    [InlineData("policy.Ask dom0 name dom0")]
    [InlineData("policy.Ask\0" + Ask)]
    [InlineData("policy.Ask+ dom0\0" + Ask)]
    [InlineData("other dom0\0" + Ask)]
    [InlineData("policy.Ask dom0\0")]
    [InlineData("policy.Ask dom0\0[]")]
    [InlineData("policy.Ask dom0\0{}")]
    [InlineData("policy.Ask dom0\0" + Ask + "x")]
    [InlineData("policy.Notify dom0\0" + Ask)]
    public void What_is_no_request_is_none(string text) => Assert.Null(Parse(text));

    [Theory]
    [InlineData("work", "w\\u001b[2Jork")]
    [InlineData("work", "w\\u00e9rk")]
    [InlineData("work", "\\ud800")]
    [InlineData("\"@dispvm:dvm\"", "\"vault\"")]
    [InlineData("\"@dispvm:dvm\"", "\"\"")]
    [InlineData("\"@dispvm:dvm\"", "1")]
    [InlineData("\"work\"", "null")]
    public void A_question_that_cannot_be_shown_safely_is_none(string part, string other) =>
        Assert.Null(Parse("policy.Ask dom0\0" + Ask.Replace(part, other, StringComparison.Ordinal)));

    [Fact]
    public void A_proposal_that_is_not_offered_is_none()
    {
        AgentQuestion question = Assert.IsType<AgentQuestion>(
            Parse("policy.Ask dom0\0" + Ask.Replace("\"default_target\": \"vault\"", "\"default_target\": \"bank\"", StringComparison.Ordinal)));
        Assert.Null(question.DefaultTarget);
    }

    [Fact]
    public void What_a_daemon_writes_is_read_as_it_was_meant() =>
        Gen.Select(Gen.String[Gen.Char[' ', '~'], 0, 40], Gen.String[Gen.Char[' ', '~'], 0, 40], Gen.String[Gen.Char['a', 'z'], 1, 8].List[0, 6].Select(names => names.Distinct(StringComparer.Ordinal).ToArray()))
            .Sample((source, name, targets) =>
            {
                string json = JsonSerializer.Serialize(new Dictionary<string, object>
                {
                    ["source"] = source, ["service"] = name, ["argument"] = "+", ["targets"] = targets, ["default_target"] = targets.FirstOrDefault("none"),
                });
                AgentQuestion question = Assert.IsType<AgentQuestion>(Parse("policy.Ask dom0\0" + json));
                Assert.Equal((source, name, targets.FirstOrDefault()), (question.Source, question.Name, question.DefaultTarget));
                Assert.Equal(targets, question.Targets);
            });

    [Fact]
    public void Nothing_makes_it_fail() => Gen.Byte.Array[0, 200].Sample(tail =>
    {
        byte[] head = Encoding.ASCII.GetBytes("policy.Ask dom0\0");
        AgentRequest.TryParse([.. head, .. tail]);
        AgentRequest.TryParse(tail);
    });
}
