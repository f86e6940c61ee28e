namespace Qubes.Extensions.OutOfProcess.Policy;

/// <summary>What extensions may know of the policy. Called on the model loop, and returns there.</summary>
public interface IPolicyAdviser
{
    /// <summary>What would be decided now. Nobody is asked, nothing is started and nothing noted.</summary>
    /// <param name="source">The calling qube.</param>
    /// <param name="target">What it names; empty for nothing.</param>
    /// <param name="serviceAndArgument"><c>SERVICE+ARGUMENT</c>.</param>
    Task<PolicyAdvice> DecideAsync(string source, string target, string serviceAndArgument);

    /// <summary>Null, or the first thing that is wrong with a file of rules, with its place. Rules stand by themselves: what includes others is wrong.</summary>
    /// <param name="file">Its name, for the message.</param>
    /// <param name="untrustedRules">The text.</param>
    string? FindError(string file, string untrustedRules);
}
