using System.Buffers;
using System.Text;
using CsCheck;
using Qubes.Protocol.Audit;

namespace Qubes.Protocol.Tests.Audit;

public sealed class AuditChainTests
{
    private static readonly DateTime Time = new(2026, 11, 24, 19, 15, 13, 123, DateTimeKind.Utc);

    [Fact]
    public void A_record_says_who_called_what_and_how_it_ended()
    {
        string line = Lines(Write(AuditPosition.Beginning, 1, i => Entry(i) with
        {
            Argument = "a\"\\\n\u00e4" + new string('x', 300), Policy = "/etc/qubes/policy.d/30-user.policy:12", UserId = 1000, Duration = TimeSpan.FromMilliseconds(1.5),
        }))[1];
        Assert.StartsWith(
            "{\"seq\":2,\"time\":\"2026-11-24T19:15:13.123000Z\",\"source\":\"work0\",\"call\":\"admin.vm.Start\",\"arg\":\"a\\u0022\\u005c\\u000a\\u00e4xxx",
            line, StringComparison.Ordinal);
        Assert.Contains(
            "xxx...\",\"target\":\"x\",\"outcome\":\"ok\",\"us\":1500,\"policy\":\"/etc/qubes/policy.d/30-user.policy:12\",\"uid\":1000,\"hash\":\"",
            line, StringComparison.Ordinal);
        Assert.True(AuditRecord.TryParse(Encoding.ASCII.GetBytes(line), out AuditRecord? record));
        Assert.Equal((2L, "work0", "admin.vm.Start", "x", "ok", 1500L, 1000L, Time), (record.Sequence, record.Source, record.Call, record.Target,
            record.Outcome, record.Microseconds, record.UserId!.Value, record.Time));
        Assert.StartsWith("a\"\\\n\u00e4xxx", record.Argument, StringComparison.Ordinal);
        Assert.Equal(AuditFormat.LongestArgument + 3, record.Argument.Length);
    }

    [Fact]
    public void The_longest_record_fits()
    {
        ArrayBufferWriter<byte> output = new();
        string wide = new('\u00e4', 100_000);
        AuditEncoder encoder = new(AuditPosition.Beginning);
        encoder.Write(new AuditEntry { Time = Time, Source = wide, Call = wide, Argument = wide, Target = wide, Outcome = wide, Policy = wide, UserId = uint.MaxValue }, output);
        encoder.WriteTorn(Time, wide, output);
        encoder.WriteGap(Time, long.MaxValue, wide, output);
        Assert.All(Lines(output.WrittenSpan.ToArray()), line => Assert.True(AuditRecord.TryParse(Encoding.ASCII.GetBytes(line), out _)));
    }

    [Fact]
    public void A_whole_log_has_no_problem_and_any_position_in_it_can_be_the_end()
    {
        byte[] log = Write(AuditPosition.Beginning, 50, Entry);
        AuditVerifier verifier = Verify([("audit-000000000001.jsonl", log)]);
        Assert.Empty(verifier.Problems);
        Assert.Equal((51L, 51L), (verifier.Records, verifier.End.Sequence));
    }

    [Fact]
    public void The_chain_goes_on_from_file_to_file()
    {
        byte[] first = Write(AuditPosition.Beginning, 3, Entry);
        byte[] second = Write(EndOf(first), 3, Entry);
        Assert.Empty(Verify([("audit-000000000001.jsonl", first), ("audit-000000000005.jsonl", second)]).Problems);
        Assert.NotEmpty(Verify([("audit-000000000005.jsonl", second)]).Problems);
        Assert.NotEmpty(Verify([("audit-000000000005.jsonl", second), ("audit-000000000001.jsonl", first)]).Problems);
        Assert.NotEmpty(Verify([("audit-000000000001.jsonl", first), ("audit-000000000009.jsonl", Write(EndOf(second), 3, Entry))]).Problems);
        Assert.NotEmpty(Verify([("audit-000000000001.jsonl", first), ("audit-000000000005.jsonl", [])], tail: "x"u8.ToArray()).Problems);
    }

    [Fact]
    public void Files_removed_by_rotation_are_told_from_files_removed_by_others()
    {
        byte[] first = Write(AuditPosition.Beginning, 3, Entry);
        byte[] second = Write(EndOf(first), 3, Entry, prunedUntil: 4);
        AuditVerifier verifier = Verify([("audit-000000000005.jsonl", second)]);
        Assert.Empty(verifier.Problems);
        Assert.Contains("the records before 5 were removed by rotation", verifier.Notes);
    }

    /// <summary>Every change of one byte, every removal and every exchange of lines is found.</summary>
    [Fact]
    public void Any_change_is_found()
    {
        byte[] log = Write(AuditPosition.Beginning, 6, Entry);
        AuditPosition end = EndOf(log);
        Gen.Select(Gen.Int[0, log.Length - 1], Gen.Byte).Where(t => log[t.Item1] != t.Item2).Sample(t =>
        {
            byte[] changed = [.. log];
            changed[t.Item1] = t.Item2;
            Assert.True(Verify([("audit-000000000001.jsonl", changed)], end).Problems.Count > 0, $"{t.Item1} {t.Item2}");
        });
        string[] lines = Lines(log);
        for (int i = 0; i < lines.Length; i++)
        {
            Assert.NotEmpty(Verify([("audit-000000000001.jsonl", Join(lines.Where((_, at) => at != i)))], end).Problems);
            Assert.NotEmpty(Verify([("audit-000000000001.jsonl", Join([.. lines[..i], lines[i], .. lines[i..]]))], end).Problems);
            for (int j = i + 1; j < lines.Length; j++)
            {
                string[] exchanged = [.. lines];
                (exchanged[i], exchanged[j]) = (lines[j], lines[i]);
                Assert.NotEmpty(Verify([("audit-000000000001.jsonl", Join(exchanged))], end).Problems);
            }
        }
    }

    [Fact]
    public void A_log_that_was_written_anew_is_not_the_one_that_was_there()
    {
        AuditPosition end = EndOf(Write(AuditPosition.Beginning, 6, Entry));
        byte[] forged = Write(AuditPosition.Beginning, 6, i => Entry(i) with { Source = "other" });
        Assert.Empty(Verify([("audit-000000000001.jsonl", forged)]).Problems);
        Assert.Contains("is not the one that was there before", Assert.Single(Verify([("audit-000000000001.jsonl", forged)], end).Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_cut_short_at_the_end_is_no_change()
    {
        byte[] log = Write(AuditPosition.Beginning, 2, Entry);
        AuditVerifier verifier = Verify([("audit-000000000001.jsonl", log[..^10])]);
        Assert.Empty(verifier.Problems);
        Assert.Equal(["audit-000000000001.jsonl:3: the line is cut short"], verifier.Notes);
    }

    [Fact]
    public void A_line_without_end_is_read_in_bounds()
    {
        int lines = 0;
        using MemoryStream stream = new([.. new byte[1_000_000], (byte)'\n', (byte)'x', (byte)'\n']);
        AuditLines.Read(stream, (line, _, _) =>
        {
            lines++;
            Assert.True(line.Length <= AuditFormat.LongestLine + 1);
        });
        Assert.Equal(2, lines);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1 xx")]
    [InlineData("-1 0000000000000000000000000000000000000000000000000000000000000000")]
    public void What_is_no_position_is_refused(string text) => Assert.Null(AuditPosition.Parse(text));

    [Fact]
    public void A_position_survives_its_text()
    {
        AuditPosition end = EndOf(Write(AuditPosition.Beginning, 2, Entry));
        Assert.Equal(end.ToString(), AuditPosition.Parse(end.ToString())!.ToString());
        Assert.Equal(end.ToString(), AuditPosition.Parse(end.ToString().Replace(' ', ':'))!.ToString());
    }

    private static AuditEntry Entry(int i) => new()
    {
        Time = Time, Source = $"work{i}", Call = "admin.vm.Start", Argument = "", Target = "x", Outcome = AuditEntry.Succeeded,
    };

    private static byte[] Write(AuditPosition from, int count, Func<int, AuditEntry> entry, long prunedUntil = 0)
    {
        ArrayBufferWriter<byte> output = new();
        AuditEncoder encoder = new(from);
        encoder.WriteOpen(Time, output);
        for (int i = 0; i < count; i++)
        {
            encoder.Write(entry(i), output);
        }

        if (prunedUntil > 0)
        {
            encoder.WritePrune(Time, prunedUntil, output);
        }

        return output.WrittenSpan.ToArray();
    }

    private static AuditPosition EndOf(byte[] log)
    {
        Assert.True(AuditRecord.TryParse(Encoding.ASCII.GetBytes(Lines(log)[^1]), out AuditRecord? last));
        return new AuditPosition(last.Sequence, Convert.FromHexString(last.Hash));
    }

    private static string[] Lines(byte[] log) => Encoding.ASCII.GetString(log).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static byte[] Join(IEnumerable<string> lines) => Encoding.ASCII.GetBytes(string.Concat(lines.Select(l => l + "\n")));

    private static AuditVerifier Verify((string Name, byte[] Content)[] files, AuditPosition? expected = null, byte[]? tail = null)
    {
        AuditVerifier verifier = new();
        if (expected is not null)
        {
            verifier.Expect(expected);
        }

        foreach ((string name, byte[] content) in files)
        {
            using MemoryStream stream = new(content);
            verifier.Check(name, stream, isLast: tail is null && name == files[^1].Name);
        }

        verifier.Finish();
        return verifier;
    }
}
