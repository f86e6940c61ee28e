using System.Text.Json;
using Qubes.Linux;
using Qubes.Testing;

namespace Qubes.Daemon.Tests;

/// <summary>The programs that look after a store without the daemon.</summary>
public sealed class StoreProgramTests
{
    [Fact]
    public async Task A_created_store_is_good_and_the_daemon_starts_with_it()
    {
        using ScratchRoot root = new();
        CapturedProcess created = await RunAsync(root, "qubes-create");
        Assert.True(created.Exit.IsSuccess, created.ErrorText);
        Assert.Equal("", created.OutputText);
        CapturedProcess again = await RunAsync(root, "qubes-create");
        Assert.Equal(1, again.Exit.Code);
        Assert.Contains("already exists, aborting", again.ErrorText, StringComparison.Ordinal);
        CapturedProcess check = await RunAsync(root, "qubes-store", "check");
        Assert.True(check.Exit.IsSuccess, check.OutputText + check.ErrorText);

        await using QubesdProcess daemon = await QubesdProcess.StartAsync(root);
        Assert.StartsWith("dom0 ", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        CapturedProcess refused = await RunAsync(root, "qubes-store", "restore", "1");
        Assert.Equal(3, refused.Exit.Code);
        CapturedProcess journal = await RunAsync(root, "qubes-store", "show-journal", "--json");
        using JsonDocument records = JsonDocument.Parse(journal.OutputText);
        Assert.Equal("base", records.RootElement[0].GetProperty("kind").GetString());
        Assert.True((await daemon.StopAsync()).IsSuccess);
        CapturedProcess restored = await RunAsync(root, "qubes-store", "restore", "1");
        Assert.True(restored.Exit.IsSuccess, restored.ErrorText);
    }

    [Fact]
    public async Task A_bad_store_is_told_of_by_text_json_and_status()
    {
        using ScratchRoot root = new();
        string path = Path.Combine(root.Path, "bad.xml");
        await using (StreamWriter writer = File.CreateText(path))
        {
            await writer.WriteAsync("<qubes>\n <domains>\n  <domain class=\"XY\"/>\n </domains>\n</qubes>\n");
        }

        CapturedProcess text = await RunAsync(root, "qubes-store", "check", path);
        Assert.Equal(1, text.Exit.Code);
        Assert.Contains($"{path}: line 3: ", text.OutputText, StringComparison.Ordinal);
        CapturedProcess json = await RunAsync(root, "qubes-store", "check", "--json", path);
        Assert.Equal(1, json.Exit.Code);
        using JsonDocument report = JsonDocument.Parse(json.OutputText);
        Assert.Contains(report.RootElement.GetProperty("problems").EnumerateArray(), p => p.GetProperty("place").GetString() == "line 3");
    }

    [Theory]
    [InlineData("qubes-store: error: the following arguments are required: COMMAND", "qubes-store")]
    [InlineData("qubes-store: error: argument COMMAND: invalid choice: 'repair' (choose from check, show-journal, generations, restore)", "qubes-store", "repair")]
    [InlineData("qubes-store: error: unrecognized arguments: --wrong", "qubes-store", "check", "--wrong")]
    [InlineData("qubes-store: error: unrecognized arguments: -x", "qubes-store", "-x")]
    [InlineData("qubes-store: error: unrecognized arguments: b c", "qubes-store", "check", "a", "b", "c")]
    [InlineData("qubes-store: error: unrecognized arguments: c", "qubes-store", "restore", "1", "b", "c")]
    [InlineData("qubes-store: error: unrecognized arguments: --json", "qubes-store", "restore", "1", "--json")]
    [InlineData("qubes-store: error: argument --json: ignored explicit argument 'x'", "qubes-store", "check", "--json=x")]
    [InlineData("qubes-store: error: argument --root: expected one argument", "qubes-store", "check", "--root")]
    [InlineData("qubes-store: error: the following arguments are required: GENERATION", "qubes-store", "restore")]
    [InlineData("qubes-store: error: argument GENERATION: invalid number: 'x'", "qubes-store", "restore", "x")]
    [InlineData("qubes-store: error: argument GENERATION: invalid number: '-1'", "qubes-store", "restore", "--", "-1")]
    [InlineData("qubes-create: error: unrecognized arguments: --wrong", "qubes-create", "--wrong")]
    [InlineData("qubes-create: error: unrecognized arguments: here", "qubes-create", "here")]
    [InlineData("qubes-create: error: argument --qubesxml: expected one argument", "qubes-create", "--qubesxml")]
    [InlineData("qubesd: error: there is no manual page of 'ls'", "--man-page", "ls")]
    [InlineData("qubesd: error: argument --man-page: expected one argument", "--man-page")]
    public async Task A_wrong_command_line_is_explained(string error, params string[] arguments)
    {
        using ScratchRoot root = new();
        CapturedProcess result = await RunAsync(root, arguments);
        Assert.Equal(2, result.Exit.Code);
        Assert.Equal("", result.OutputText);
        Assert.StartsWith("usage: ", result.ErrorText, StringComparison.Ordinal);
        Assert.EndsWith(error, result.ErrorText, StringComparison.Ordinal);
        Assert.False(Directory.Exists(root.Paths.StateDirectory));
    }

    [Theory]
    [InlineData("qubes-store")]
    [InlineData("qubes-create")]
    public async Task Help_version_and_manual_page_are_those_of_the_program(string name)
    {
        using ScratchRoot root = new();
        foreach (string option in (string[])["--help", "-h"])
        {
            CapturedProcess help = await RunAsync(root, name, option);
            Assert.True(help.Exit.IsSuccess, help.ErrorText);
            Assert.StartsWith($"usage: {name} [--root DIR] ", help.OutputText, StringComparison.Ordinal);
            Assert.All((string[])["\noptions:\n", "  --root DIR ", "\nexit status:\n", "  QUBES_ROOT "], part => Assert.Contains(part, help.OutputText, StringComparison.Ordinal));
            Assert.All(help.OutputText.Split('\n'), line => Assert.True(line.Length <= 110 && !line.EndsWith(' '), line));
        }

        CapturedProcess version = await RunAsync(root, name, "--version");
        Assert.StartsWith(name + " ", version.OutputText, StringComparison.Ordinal);

        // Written with "qubesd --man-page PROGRAM > docs/man/PROGRAM.1".
        CapturedProcess page = await RunAsync(root, "--man-page", name);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(ProgramFile.RepositoryRoot, "docs", "man", name + ".1")), page.OutputText);
    }

    [Fact]
    public async Task The_root_is_an_option_too_and_a_store_can_be_named()
    {
        using ScratchRoot root = new();
        using ScratchRoot other = new();
        CapturedProcess created = await RunAsync(other, "qubes-create", "--root", root.Path, "--offline-mode");
        Assert.True(created.Exit.IsSuccess, created.ErrorText);
        Assert.True(File.Exists(root.Paths.StoreFile));
        Assert.False(Directory.Exists(other.Paths.StateDirectory));
        CapturedProcess check = await RunAsync(other, "qubes-store", $"--root={root.Path}", "check");
        Assert.Equal($"{root.Paths.StoreFile}: 1 qubes, revision 0; 0 problem(s)\n", check.OutputText);
        Assert.Equal(3, (await RunAsync(other, "qubes-store", "check")).Exit.Code);
        CapturedProcess list = await RunAsync(other, "qubes-store", "generations", "--root", root.Path);
        Assert.StartsWith("0  ", list.OutputText, StringComparison.Ordinal);

        string elsewhere = Path.Combine(other.Path, "store.xml");
        Assert.True((await RunAsync(other, "qubes-create", "--root", root.Path, "--qubesxml", elsewhere)).Exit.IsSuccess);
        CapturedProcess named = await RunAsync(other, "qubes-store", "check", "--json", "--", elsewhere);
        using JsonDocument report = JsonDocument.Parse(named.OutputText);
        Assert.Equal(elsewhere, report.RootElement.GetProperty("file").GetString());
        Assert.True(named.Exit.IsSuccess);
    }

    [Fact]
    public async Task A_missing_store_is_named()
    {
        using ScratchRoot root = new();
        CapturedProcess result = await RunAsync(root, "qubes-store", "check");
        Assert.Equal(3, result.Exit.Code);
        Assert.Contains(root.Paths.StoreFile, result.ErrorText, StringComparison.Ordinal);
    }

    private static Task<CapturedProcess> RunAsync(ScratchRoot root, params string[] arguments) => ProcessCapture.RunAsync(
        new ChildProcessOptions
        {
            FileName = ProgramFile.Find("qubesd"),
            Arguments = arguments,
            EnvironmentChanges = new Dictionary<string, string?>(StringComparer.Ordinal) { ["QUBES_ROOT"] = root.Path },
        },
        timeout: QubesdProcess.Patience);
}
