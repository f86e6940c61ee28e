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
    [InlineData("qubes-store")]
    [InlineData("qubes-store", "check", "--wrong")]
    [InlineData("qubes-store", "restore", "x")]
    [InlineData("qubes-create", "--wrong")]
    public async Task A_wrong_command_line_is_explained(params string[] arguments)
    {
        using ScratchRoot root = new();
        CapturedProcess result = await RunAsync(root, arguments);
        Assert.Equal(2, result.Exit.Code);
        Assert.StartsWith("usage: ", result.ErrorText, StringComparison.Ordinal);
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
