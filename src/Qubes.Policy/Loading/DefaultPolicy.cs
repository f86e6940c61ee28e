using System.Reflection;

namespace Qubes.Policy.Loading;

/// <summary>
/// The files of the default policy that are the same for every version of the API: <c>etc/qubes/policy.d</c> of this repository,
/// carried in this assembly.
/// </summary>
public static class DefaultPolicy
{
    private const string Prefix = "policy.d/";

    /// <summary>Names relative to the policy directory, as <c>90-default.policy</c> and <c>include/admin-local-ro</c>.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Select(n => n[Prefix.Length..]).Order(StringComparer.Ordinal),
    ];

    /// <summary>True for a file the administrator fills: an upgrade leaves it alone.</summary>
    public static bool IsAdministrators(string name) => name.StartsWith("include/", StringComparison.Ordinal);

    /// <summary>The content of one of <see cref="Names"/>.</summary>
    public static byte[] Read(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name)
            ?? throw new FileNotFoundException($"There is no default policy file '{name}'.");
        byte[] content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
