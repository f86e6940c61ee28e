namespace Qubes.Policy.Loading;

/// <summary>A directory of policy files.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Required">
/// Whether its absence makes the policy invalid. The directory under <c>/run</c> is empty after each boot anyway: missing it means
/// there is nothing in it.
/// </param>
public sealed record PolicyDirectory(string Path, bool Required);
