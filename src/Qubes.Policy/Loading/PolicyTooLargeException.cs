using Qubes.Policy.Rules;

namespace Qubes.Policy.Loading;

/// <summary>Ends loading when there is more than a policy may consist of: going on would only take more.</summary>
internal sealed class PolicyTooLargeException(PolicyPlace place, string message) : Exception(message)
{
    /// <summary>Where the limit was passed.</summary>
    public PolicyPlace Place { get; } = place;
}
