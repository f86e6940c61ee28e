using Qubes.Policy.Syntax;

namespace Qubes.Policy.Loading;

/// <summary>A file on its way into the rule set.</summary>
/// <param name="Path">The file.</param>
/// <param name="Format">Its form.</param>
/// <param name="Service">For the one-service form: the service its rules are about.</param>
/// <param name="Argument">For the one-service form: the argument its rules are about.</param>
/// <param name="BaseDirectory">What relative paths start from: the directory of the top-level file, not of this one.</param>
/// <param name="Depth">How many files include this one, one inside the other.</param>
internal sealed record Inclusion(
    string Path, PolicyFormat Format, string Service, string Argument, string BaseDirectory, int Depth)
{
    /// <summary>Another file, included by this one in the same form.</summary>
    public Inclusion Including(string path) => this with { Path = path, Depth = Depth + 1 };
}
