using System.Xml.Linq;

namespace Qubes.Architecture.Tests;

/// <summary>Lower layers may not use higher ones: read off the project files themselves.</summary>
public sealed class LayerTests
{
    // What each project may reference directly; what those reference comes with them.
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Qubes.Linux"] = [],
        ["Qubes.Protocol"] = ["Qubes.Linux"],
        ["Qubes.Policy"] = ["Qubes.Linux"],
        ["Qubes.Libvirt"] = ["Qubes.Linux"],
        ["Qubes.Model"] = ["Qubes.Protocol"],
        ["Qubes.Store"] = ["Qubes.Model", "Qubes.Linux"],
        ["Qubes.Storage"] = ["Qubes.Model", "Qubes.Linux"],
        ["Qubes.Lifecycle"] = ["Qubes.Storage", "Qubes.Libvirt", "Qubes.Store"],
        ["Qubes.Extensions"] = ["Qubes.Lifecycle"],
        ["Qubes.Admin"] = ["Qubes.Extensions", "Qubes.Policy"],
        ["Qubes.Qrexec"] = ["Qubes.Protocol", "Qubes.Linux"],
        ["Qubes.Client"] = ["Qubes.Protocol", "Qubes.Linux"],
        ["qubesd"] = ["Qubes.Admin"],
        ["qvm"] = ["Qubes.Client"],
        ["qrexec"] = ["Qubes.Qrexec", "Qubes.Client"],
    };

    private static readonly string Root = FindRoot();

    public static TheoryData<string> Projects => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_lower_layers(string project) =>
        Assert.Empty(References(project).Except(Allowed[project]));

    [Fact]
    public void Every_project_is_in_the_table()
    {
        IEnumerable<string> projects = Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
            .Where(p => p.StartsWith(Path.Combine(Root, "src") + "/", StringComparison.Ordinal)
                || p.StartsWith(Path.Combine(Root, "apps") + "/", StringComparison.Ordinal))
            .Select(p => Path.GetFileNameWithoutExtension(p)!);
        Assert.Equal(Allowed.Keys.Order(StringComparer.Ordinal), projects.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_model_does_no_input_or_output_and_has_no_threads_or_clock()
    {
        string[] forbidden =
            ["System.IO", "File.Open", "File.Read", "File.Write", "File.Exists", "Directory.Create", "Directory.Exists", "Directory.Enumerate", "new Socket",
             "new Thread", "Task.Run(", "DateTime.Now", "DateTime.UtcNow", "DateTimeOffset.UtcNow",
             "DateTimeOffset.Now", "Environment.TickCount", "Stopwatch"];
        Assert.Empty(
            from file in SourceFiles("src/Qubes.Model")
            from word in forbidden
            where File.ReadAllText(file).Contains(word, StringComparison.Ordinal)
            select $"{Path.GetRelativePath(Root, file)}: {word}");
    }

    [Fact]
    public void Libc_is_called_from_the_linux_layer_only() =>
        Assert.Empty(
            from file in SourceFiles("src").Concat(SourceFiles("apps"))
            where !file.Contains("/Qubes.Linux/", StringComparison.Ordinal)
                && File.ReadAllText(file).Contains("LibraryImport(\"libc\"", StringComparison.Ordinal)
            select Path.GetRelativePath(Root, file));

    [Fact]
    public void Source_files_stay_short_enough_to_read_in_one_go() =>
        Assert.Empty(
            from file in SourceFiles("src").Concat(SourceFiles("apps"))
            let lines = File.ReadLines(file).Count()
            where lines > 400
            select $"{Path.GetRelativePath(Root, file)}: {lines} lines");

    private static IEnumerable<string> References(string project)
    {
        string folder = Directory.Exists(Path.Combine(Root, "src", project)) ? "src" : "apps";
        return XDocument.Load(Path.Combine(Root, folder, project, project + ".csproj")).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value));
    }

    private static IEnumerable<string> SourceFiles(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

    private static string FindRoot()
    {
        string? at = AppContext.BaseDirectory;
        while (at is not null && !File.Exists(Path.Combine(at, "Qubes.slnx")))
        {
            at = Path.GetDirectoryName(at);
        }

        return at ?? throw new InvalidOperationException("the repository's root is not above the test's folder");
    }
}
