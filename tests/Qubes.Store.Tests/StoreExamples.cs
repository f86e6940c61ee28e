namespace Qubes.Store.Tests;

/// <summary>
/// The example files: <c>NAME.xml</c> is a store as an old version left it, <c>NAME.now.xml</c> the same one after its first save, in the form every
/// version reads.
/// </summary>
internal static class StoreExamples
{
    private const string Written = ".now.xml";

    private static readonly string Directory = Path.Combine(AppContext.BaseDirectory, "Stores");

    public static IEnumerable<string> Names => System.IO.Directory.GetFiles(Directory, "*.xml")
        .Where(p => !p.EndsWith(Written, StringComparison.Ordinal)).Select(p => Path.GetFileNameWithoutExtension(p)).Order(StringComparer.Ordinal);

    public static string Old(string name) => File.ReadAllText(Path.Combine(Directory, name + ".xml"));

    public static string Now(string name) => File.ReadAllText(Path.Combine(Directory, name + Written));
}
