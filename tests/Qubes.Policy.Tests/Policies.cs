using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.Rules;

namespace Qubes.Policy.Tests;

/// <summary>Short ways to say "with these rules, this call".</summary>
internal static class Policies
{
    public const string File = "/etc/qubes/policy.d/30-user.policy";

    public static LoadedPolicy Load(params string[] lines) =>
        PolicyLoader.Load(new MemoryPolicySource().With("30-user.policy", string.Join('\n', lines)));

    /// <summary>Loads, insisting that there is nothing wrong.</summary>
    public static LoadedPolicy Valid(params string[] lines)
    {
        LoadedPolicy policy = Load(lines);
        Assert.Empty(policy.Errors);
        return policy;
    }

    public static PolicyRule Rule(string line) => Assert.Single(Valid(line).Rules.Rules);

    /// <summary>The one error of a line, without file and line, which are checked.</summary>
    public static string ErrorOf(string line)
    {
        string text = Assert.Single(Load("", line).Errors).ToString();
        Assert.StartsWith(File + ":2: ", text);
        return text[(File.Length + 4)..];
    }

    public static PolicyDecision Decide(LoadedPolicy policy, string source, string target, string service = "test.Service+arg", string claimed = "") =>
        PolicyEvaluator.Decide(policy, new PolicyCall(source, target, service, claimed), TestSystem.Info);

    public static PolicyDecision Decide(string rules, string source, string target, string service = "test.Service+arg", string claimed = "") =>
        Decide(Valid(rules.Split('\n')), source, target, service, claimed);

    /// <summary>The text for an allowed call.</summary>
    public static string Result(string rules, string source, string target, string service = "test.Service+arg", string claimed = "") =>
        ResultText.Of(Assert.IsType<CallAllowed>(Decide(rules, source, target, service, claimed)));

    /// <summary>The reason of a denied call.</summary>
    public static CallDenied Denied(string rules, string source, string target, string service = "test.Service+arg", string claimed = "")
    {
        PolicyDecision decision = Decide(rules, source, target, service, claimed);
        if (decision is CallAllowed allowed)
        {
            return CallDenied.From(Assert.Throws<CallDeniedException>(() => ResultText.Of(allowed)));
        }

        return Assert.IsType<CallDenied>(decision);
    }

    /// <summary>The targets offered for a call.</summary>
    public static CallAsked Asked(string rules, string source, string target = "@default", string service = "test.Service+arg") =>
        Assert.IsType<CallAsked>(Decide(rules, source, target, service));
}
