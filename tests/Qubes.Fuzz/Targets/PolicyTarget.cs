using System.Text;
using Qubes.Policy.Checking;
using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.Rules;
using Qubes.Policy.Syntax;
using Qubes.Policy.SystemState;

namespace Qubes.Fuzz.Targets;

/// <summary>
/// Policy files in both forms: loading never throws; what is accepted is printed as text that means the same; deciding with it
/// never throws; the check of a single text and the loader agree.
/// </summary>
internal sealed class PolicyTarget : IFuzzTarget
{
    private static readonly SystemInfo s_system = new(
    [
        new() { Name = "dom0", Type = "AdminVM", Uuid = "00000000-0000-0000-0000-000000000000", DefaultDispvm = "dvm" },
        new() { Name = "a", Type = "AppVM", Uuid = "1", Tags = ["t"], DefaultDispvm = "dvm" },
        new() { Name = "dvm", Type = "AppVM", Uuid = "2", Tags = ["t"], TemplateForDispvms = true, DefaultDispvm = "gone" },
        new() { Name = "far", Type = "RemoteVM", Relayvm = "a", TransportRpc = "x" },
    ]);

    private static readonly string[] s_targets = ["", "a", "dvm", "dom0", "@adminvm", "@dispvm", "@dispvm:dvm", "@dispvm:uuid:2", "far", "uuid:1", "@tag:t", "nothere"];

    public string Name => "policy";

    public IEnumerable<byte[]> Seeds { get; } =
    [
        "svc.A +x @tag:t @dispvm:@tag:t ask target=dvm default_target=@dispvm user=u autostart=no notify=yes\n# c\n* * @anyvm * allow\n"u8.ToArray(),
        "svc.A * @type:AppVM @default allow target=dom0\nsvc.A * a uuid:2 deny notify=no\r\nsvc.A + * @adminvm allow target=@adminvm\n"u8.ToArray(),
        "!include include/x\n!include-dir d\n!include-service svc.A * include/x\n!compat-4.0\n"u8.ToArray(),
        "$anyvm $dispvm ask,default_target=a\n$include:include/x\n@tag:t b allow target=far\n"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] text = input.ToArray();
        LoadedPolicy policy = PolicyLoader.Load(new MemoryPolicySource()
            .With("30-user.policy", text).With("include/x", text).With("40-x.policy", "!include-service svc.A +x include/x\n")
            .With("d/1.policy", text).With("/etc/qubes-rpc/policy/svc.A+x", text));
        foreach (PolicyRule rule in policy.Rules.Rules)
        {
            LoadedPolicy again = PolicyLoader.Load(new MemoryPolicySource().With("1.policy", RulePrinter.Print(rule)));
            Require(again.IsValid && again.Rules.Rules.Length == 1 && again.Rules.Rules[0] with { Place = rule.Place } == rule, "printing changes a rule");
        }

        foreach (string target in s_targets)
        {
            Decide(policy, new PolicyCall("a", target, "svc.A+x"));
            Decide(policy, new PolicyCall("a", target, "svc.A", "far"));
        }

        CheckAgrees(text, PolicyFormat.Full);
        CheckAgrees(text, PolicyFormat.OneService);
    }

    private static void Decide(LoadedPolicy policy, PolicyCall call)
    {
        PolicyDecision decision = PolicyEvaluator.Decide(policy, call, s_system);
        Require(policy.IsValid || decision is CallDenied, "a policy with errors lets a call through");
        if (decision is CallAsked asked)
        {
            Require(!asked.Targets.IsEmpty && asked.Targets.All(t => asked.Choose(t) is CallAllowed), "what is offered cannot be chosen");
            decision = asked.Choose(asked.Targets[0]);
        }

        if (decision is CallAllowed allowed)
        {
            try
            {
                string result = ResultText.Of(allowed);
                Require(!result.EndsWith('\n') && result.Split('\n').All(l => l.Contains('=', StringComparison.Ordinal)), "the answer is not lines of key=value");
            }
            catch (CallDeniedException)
            {
                // Loopback, or a relay that is not there.
            }
        }
    }

    private static void CheckAgrees(byte[] content, PolicyFormat format)
    {
        string text = Encoding.UTF8.GetString(content);
        if (text.Contains('!', StringComparison.Ordinal) || text.Contains("$include:", StringComparison.Ordinal))
        {
            return;
        }

        LoadedPolicy policy = PolicyLoader.Load(new MemoryPolicySource()
            .With("1.policy", format == PolicyFormat.Full ? text : "!include-service s * x").With("x", text));
        Require(policy.IsValid == PolicyCheck.CheckText("x", text, format).IsEmpty, "the check and the loader disagree");
    }

    private static void Require(bool isTrue, string otherwise)
    {
        if (!isTrue)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
