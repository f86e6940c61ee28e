using System.Buffers;
using Qubes.Protocol.Audit;

namespace Qubes.Tools.Tests;

public sealed class AuditToolTests : ToolHarness
{
    private static readonly DateTime Time = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);
    private readonly string _directory;
    private readonly string _file;

    public AuditToolTests()
    {
        _directory = Path.Combine(Daemon.Root, "var/log/qubes/audit");
        Directory.CreateDirectory(_directory);
        ArrayBufferWriter<byte> output = new();
        AuditEncoder encoder = new(AuditPosition.Beginning);
        encoder.WriteOpen(Time, output);
        encoder.WriteStart(Time, isAfterCleanStop: true, output);
        encoder.Write(Entry(0, "dom0", "admin.vm.List", "", "dom0", "ok"), output);
        encoder.Write(Entry(1, "work", "admin.vm.Start", "", "net", "PermissionDenied") with { Policy = "30.policy:7", UserId = 0 }, output);
        encoder.Write(Entry(2, "work", "admin.vm.feature.Get", "a\nb", "work", "QubesFeatureNotFoundError"), output);
        encoder.Write(Entry(3, "mgmt", "admin.vm.Kill", "", "work", "denied-by-policy"), output);
        _file = Path.Combine(_directory, AuditFormat.FileName(1));
        File.WriteAllBytes(_file, output.WrittenSpan);
        File.WriteAllBytes(Path.Combine(_directory, AuditFormat.HeadFile), System.Text.Encoding.ASCII.GetBytes(encoder.Position + "\n"));
    }

    [Theory]
    [InlineData(6)]
    [InlineData(2, "--source", "work")]
    [InlineData(3, "--call", "admin.vm.[SLK]*")]
    [InlineData(1, "--target", "net")]
    [InlineData(3, "--outcome", "failed")]
    [InlineData(2, "--outcome", "denied")]
    [InlineData(1, "--outcome", "ok")]
    [InlineData(1, "--outcome", "QubesFeature*")]
    [InlineData(2, "--since", "2026-11-24T12:02:00Z")]
    [InlineData(4, "--until", "2026-11-24T12:01:00Z")]
    [InlineData(0, "--since", "1h", "--until", "2h")]
    [InlineData(2, "--last", "2")]
    public async Task Records_are_chosen_by_who_what_when_and_how_it_ended(int count, params string[] words)
    {
        Assert.Equal(0, await RunAsync("qubes-audit", words));
        Assert.Equal(count, Output.Count(c => c == '\n'));
        Assert.Equal(0, await RunAsync("qubes-audit", [.. words, "--json", "list"]));
        Assert.Equal(count, Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(line => AuditRecord.TryParse(System.Text.Encoding.ASCII.GetBytes(line), out _)));
    }

    [Fact]
    public async Task A_record_is_one_line_of_printable_text()
    {
        Assert.Equal(0, await RunAsync("qubes-audit", "--call", "admin.vm.feature.Get"));
        Assert.EndsWith("  work  admin.vm.feature.Get+a\\x0ab  work  QubesFeatureNotFoundError  2.5 ms\n", Output, StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("qubes-audit", "--call", "admin.vm.Start"));
        Assert.EndsWith("  work  admin.vm.Start  net  PermissionDenied  2.5 ms  policy 30.policy:7  uid 0\n", Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_whole_log_is_verified_and_any_change_shows_in_the_exit_status()
    {
        Assert.Equal(0, await RunAsync("qubes-audit", "verify"));
        Assert.StartsWith("6 records, 0 problems, last record 6:", Output, StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("qubes-audit", "head"));
        string head = Output.Trim();
        Assert.Equal(0, await RunAsync("qubes-audit", "verify", "--expect", head));

        string text = await File.ReadAllTextAsync(_file);
        await File.WriteAllBytesAsync(_file, System.Text.Encoding.ASCII.GetBytes(text.Replace("\"net\"", "\"nat\"", StringComparison.Ordinal)));
        Assert.Equal(1, await RunAsync("qubes-audit", "verify"));
        Assert.Contains("record 4 does not continue the chain", Error, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(_file, System.Text.Encoding.ASCII.GetBytes(text[..(text[..^1].LastIndexOf('\n') + 1)]));
        Assert.Equal(1, await RunAsync("qubes-audit", "verify"));
        Assert.Contains("the records 6 to 6 at the end are missing", Error, StringComparison.Ordinal);
        File.Delete(Path.Combine(_directory, AuditFormat.HeadFile));
        Assert.Equal(0, await RunAsync("qubes-audit", "verify"));
        Assert.Equal(1, await RunAsync("qubes-audit", "verify", "--expect", head));
    }

    [Fact]
    public async Task Mistakes_and_what_is_no_record_are_told()
    {
        Assert.Equal(2, await RunAsync("qubes-audit", "--since", "yesterday-ish"));
        Assert.Equal(2, await RunAsync("qubes-audit", "verify", "--expect", "6"));
        Assert.Equal(2, await RunAsync("qubes-audit", "--last", "x"));
        Assert.Equal(1, await RunAsync("qubes-audit", "--directory", "/no/such"));
        await File.AppendAllTextAsync(_file, "garbage\n");
        Assert.Equal(1, await RunAsync("qubes-audit"));
        Assert.Equal("Error: audit-000000000001.jsonl:7: not a record\n", Error);
        Assert.Equal(1, await RunAsync("qubes-audit", "verify"));
    }

    private static AuditEntry Entry(int minute, string source, string call, string argument, string target, string outcome) => new()
    {
        Time = Time.AddMinutes(minute), Source = source, Call = call, Argument = argument, Target = target, Outcome = outcome,
        Duration = TimeSpan.FromMilliseconds(2.5),
    };
}
