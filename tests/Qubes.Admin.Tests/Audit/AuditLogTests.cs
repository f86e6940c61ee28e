using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Admin.Audit;
using Qubes.Protocol.Audit;
using Qubes.Testing;

namespace Qubes.Admin.Tests.Audit;

public sealed class AuditLogTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-audit-").FullName;

    [Fact]
    public async Task Records_go_on_over_files_and_restarts()
    {
        AuditOptions options = Options() with { FileSize = 2000 };
        for (int run = 0; run < 3; run++)
        {
            await using AuditLog log = new(options, TimeProvider.System, NullLogger.Instance);
            for (int i = 0; i < 20; i++)
            {
                log.Add(Entry(i));
                await log.FlushAsync().WaitAsync(Patience);
            }
        }

        AuditVerifier verifier = Verify();
        Assert.Empty(verifier.Problems);
        Assert.Empty(verifier.Notes);
        Assert.True(AuditFormat.Files(_directory).Count > 3);
        Assert.Equal(60, Records().Count(r => r.Event is null));
        Assert.Equal((3, 3), (Records().Count(r => r.Event == AuditEvents.Start), Records().Count(r => r.Event == AuditEvents.Stop)));
    }

    [Fact]
    public async Task A_clock_that_is_set_forth_and_back_breaks_no_chain()
    {
        ManualTime time = new();
        await using (AuditLog log = new(Options() with { FileSize = 1000 }, time, NullLogger.Instance))
        {
            for (int i = 0; i < 30; i++)
            {
                time.SetClock(TimeSpan.FromDays(i % 2 == 0 ? 3650 : -7300));
                log.Add(Entry(i) with { Time = time.GetUtcNow().UtcDateTime });
                await log.FlushAsync().WaitAsync(Patience);
            }
        }

        AuditVerifier verifier = Verify();
        Assert.Empty(verifier.Problems);
        Assert.Equal(30, Records().Count(r => r.Event is null));
    }

    [Fact]
    public async Task Old_files_go_and_the_log_tells_of_it()
    {
        await using (AuditLog log = new(Options() with { FileSize = 1000, Files = 3 }, TimeProvider.System, NullLogger.Instance))
        {
            for (int i = 0; i < 60; i++)
            {
                log.Add(Entry(i));
                await log.FlushAsync().WaitAsync(Patience);
            }
        }

        Assert.True(AuditFormat.Files(_directory).Count <= 3);
        AuditVerifier verifier = Verify();
        Assert.Empty(verifier.Problems);
        Assert.Contains("were removed by rotation", Assert.Single(verifier.Notes), StringComparison.Ordinal);
        File.Delete(AuditFormat.Files(_directory)[0]);
        Assert.NotEmpty(Verify().Problems);
    }

    [Fact]
    public async Task A_line_cut_short_by_a_crash_is_kept_and_the_chain_goes_on()
    {
        await using (AuditLog log = new(Options(), TimeProvider.System, NullLogger.Instance))
        {
            log.Add(Entry(1));
        }

        string file = Assert.Single(AuditFormat.Files(_directory));
        await File.AppendAllTextAsync(file, """{"seq":5,"time":"2026""");
        await using (AuditLog log = new(Options(), TimeProvider.System, NullLogger.Instance))
        {
            log.Add(Entry(2));
        }

        AuditVerifier verifier = Verify();
        Assert.Empty(verifier.Problems);
        Assert.Equal(2, verifier.Notes.Count);
        Assert.Equal("""{"seq":5,"time":"2026""", Records().Single(r => r.Event == AuditEvents.Torn).Fragment);
        Assert.False(Records().Last(r => r.Event == AuditEvents.Start).IsClean);
    }

    [Fact]
    public async Task A_file_cut_to_the_beginning_of_its_first_line_is_put_aside()
    {
        await using (AuditLog log = new(Options(), TimeProvider.System, NullLogger.Instance))
        {
            log.Add(Entry(1));
        }

        long next = Verify().End.Sequence + 1;
        await File.WriteAllBytesAsync(Path.Combine(_directory, AuditFormat.FileName(next)), "{\"seq"u8.ToArray());
        await using (AuditLog log = new(Options(), TimeProvider.System, NullLogger.Instance))
        {
            log.Add(Entry(2));
        }

        Assert.Empty(Verify().Problems);
        Assert.Equal(2, Records().Count(r => r.Event is null));
    }

    [Fact]
    public async Task Removed_records_at_the_end_are_missed()
    {
        await using (AuditLog log = new(Options(), TimeProvider.System, NullLogger.Instance))
        {
            log.Add(Entry(1));
            log.Add(Entry(2));
        }

        string file = Assert.Single(AuditFormat.Files(_directory));
        string[] lines = await File.ReadAllLinesAsync(file);
        await File.WriteAllBytesAsync(file, System.Text.Encoding.ASCII.GetBytes(string.Concat(lines[..^2].Select(l => l + "\n"))));
        Assert.Contains("at the end are missing", Assert.Single(Verify().Problems), StringComparison.Ordinal);
    }

    /// <summary>A directory where the log should be stands in for a disk that takes nothing; see the daemon's tests for a full one.</summary>
    [Fact]
    public async Task What_cannot_be_written_waits_within_limits_and_the_rest_is_counted()
    {
        string blocked = Path.Combine(_directory, "audit");
        await File.WriteAllBytesAsync(blocked, []);
        await using (AuditLog log = new(Options() with { Directory = blocked, Waiting = 10 }, TimeProvider.System, NullLogger.Instance))
        {
            for (int i = 0; i < 25; i++)
            {
                log.Add(Entry(i));
            }

            await Assert.ThrowsAsync<IOException>(() => log.FlushAsync().WaitAsync(Patience));
            File.Delete(blocked);
            await FlushUntilWrittenAsync(log);
            log.Add(Entry(99));
        }

        Assert.Empty(Verify(blocked).Problems);
        Assert.Equal(11, Records(blocked).Count(r => r.Event is null));
        Assert.Equal(15, Records(blocked).Where(r => r.Event == AuditEvents.Gap).Sum(r => r.Lost));
    }

    [Fact]
    public async Task A_record_costs_its_caller_little()
    {
        await using AuditLog log = new(Options(), TimeProvider.System, NullLogger.Instance);
        await log.FlushAsync().WaitAsync(Patience);
        AuditEntry entry = Entry(0);
        const int count = 20_000;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < count; i++)
        {
            log.Add(entry);
        }

        // The list grows in steps, and is handed over full: nothing else is allocated.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / count, 0, 512);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static async Task FlushUntilWrittenAsync(AuditLog log)
    {
        while (true)
        {
            try
            {
                await log.FlushAsync().WaitAsync(Patience);
                return;
            }
            catch (IOException)
            {
                // The try that was under way when the way became free.
            }
        }
    }

    private static AuditEntry Entry(int i) => new()
    {
        Time = DateTime.UnixEpoch, Source = $"work{i}", Call = "admin.vm.Start", Argument = "", Target = "x", Outcome = AuditEntry.Succeeded,
    };

    private AuditOptions Options() => new()
    {
        Directory = _directory, Linger = TimeSpan.FromMilliseconds(1), RetryAfter = TimeSpan.FromMilliseconds(20),
    };

    private List<AuditRecord> Records(string? directory = null)
    {
        List<AuditRecord> records = [];
        foreach (string file in AuditFormat.Files(directory ?? _directory))
        {
            foreach (string line in File.ReadAllLines(file))
            {
                Assert.True(AuditRecord.TryParse(System.Text.Encoding.ASCII.GetBytes(line), out AuditRecord? record));
                records.Add(record);
            }
        }

        return records;
    }

    private AuditVerifier Verify(string? directory = null)
    {
        directory ??= _directory;
        AuditVerifier verifier = new();
        verifier.Expect(AuditPosition.Parse(File.ReadAllText(Path.Combine(directory, AuditFormat.HeadFile)))!);
        IReadOnlyList<string> files = AuditFormat.Files(directory);
        foreach (string file in files)
        {
            using FileStream stream = File.OpenRead(file);
            verifier.Check(Path.GetFileName(file), stream, file == files[^1]);
        }

        verifier.Finish();
        return verifier;
    }
}
