using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Model.Host;
using Qubes.Protocol.Errors;
using Qubes.Store.Inspection;

namespace Qubes.Store.Tests;

/// <summary>What can be learnt of a store, and done to it, without a daemon.</summary>
public sealed class InspectionTests
{
    private static readonly string Valid = StoreText.Store(StoreText.Dom0, StoreText.Fedora, StoreText.AppVM("work", 2));

    [Fact]
    public void A_good_store_has_no_problems()
    {
        StoreReport report = Check(Valid);
        Assert.Empty(report.Problems);
        Assert.Equal(3, report.Qubes);
    }

    [Fact]
    public void Every_problem_is_reported_with_its_place()
    {
        string[] bad =
        [
            StoreText.Dom0, StoreText.Fedora,
            StoreText.AppVM("strange", 2).Replace("class=\"AppVM\"", "class=\"NoSuchVM\"", StringComparison.Ordinal),
            StoreText.AppVM("valued", 3, """<property name="memory">much</property>"""),
            StoreText.AppVM("unknown", 4, """<property name="no-such">1</property>"""),
            StoreText.AppVM("colour", 5).Replace(">red<", ">pink<", StringComparison.Ordinal),
            StoreText.AppVM("twice", 6),
            StoreText.AppVM("twice", 7),
            StoreText.AppVM("lost", 8).Replace(">fedora<", ">nowhere<", StringComparison.Ordinal),
            StoreText.AppVM("follower", 9).Replace(">fedora<", ">strange<", StringComparison.Ordinal),
            StoreText.AppVM("moded", 10, rest: """<devices class="pci"><device backend-domain="dom0" id="00_1" mode="manual" identity="*"/></devices>"""),
            StoreText.AppVM("looped", 11, """<property name="provides_network">True</property><property name="netvm">looped</property>"""),
            StoreText.AppVM("good", 12),
        ];
        string text = StoreText.Store(bad)
            .Replace("  </pools>", "    <pool name=\"\"/>\n  </pools>", StringComparison.Ordinal)
            .Replace("  </labels>", "    <label id=\"nine\" color=\"0x123456\">odd</label>\n  </labels>", StringComparison.Ordinal)
            .Replace("""<property name="default_template">""", """<property name="no_such_global">1</property><property name="default_template">""", StringComparison.Ordinal);
        StoreReport report = Check(text);
        string[] lines = text.Split('\n');
        foreach (string name in (string[])["strange", "valued", "unknown", "colour", "lost", "follower"])
        {
            int named = Array.FindIndex(lines, l => l.Contains($"<property name=\"name\">{name}<", StringComparison.Ordinal));
            int line = Array.FindLastIndex(lines, named, l => l.Contains("<domain ", StringComparison.Ordinal)) + 1;
            StoreProblem problem = Assert.Single(report.Problems, p => p.Text.StartsWith($"qube '{name}' ", StringComparison.Ordinal));
            Assert.Equal(line, LineOf(problem));
        }

        Assert.Contains(report.Problems, p => p.Text.StartsWith("qube 'twice' ", StringComparison.Ordinal));
        Assert.Contains(report.Problems, p => p.Text.Contains("mode 'manual'", StringComparison.Ordinal));
        Assert.Contains(report.Problems, p => p.Text.Contains("looped", StringComparison.Ordinal) && p.Text.Contains("loop", StringComparison.Ordinal));
        Assert.Contains(report.Problems, p => p.Place == "pools");
        Assert.Contains(report.Problems, p => p.Place == "properties" && p.Text.Contains("no_such_global", StringComparison.Ordinal));
        StoreProblem label = Assert.Single(report.Problems, p => p.Text.StartsWith("label 'odd'", StringComparison.Ordinal));
        Assert.Contains("\"nine\"", lines[LineOf(label) - 1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("<qubes>\n  <labels>\n", 3)]
    [InlineData("<qubes>\n  <domains>\n    <domain>\n    </qube>\n", 4)]
    [InlineData("<html/>", 1)]
    public void What_is_no_store_is_reported_where_it_breaks(string text, int line)
    {
        StoreProblem problem = Assert.Single(Check(text).Problems);
        Assert.Equal($"line {line}", problem.Place);
    }

    [Fact]
    public async Task The_journal_is_taken_into_account_and_nothing_is_changed()
    {
        using TemporaryDirectory directory = new();
        using TemporaryDirectory crashed = new();
        Write(directory["qubes.xml"], Valid);
        await using (RunningStore running = await RunningStore.LoadAsync(directory))
        {
            await running.SetAsync("work", "memory", "1");
            await running.SetAsync("work", "memory", "2");
            running.CopyTo(crashed);
        }

        DateTime before = Directory.GetLastWriteTimeUtc(crashed.Path);
        StoreReport report = StoreCheck.Run(crashed["qubes.xml"], new FixedHostFacts());
        Assert.Empty(report.Problems);
        Assert.Equal((1, 2), (report.Outstanding, report.Revision));
        Assert.Equal(
            ["base r1", "settled r0", "change r2 qubes 2"],
            JournalListing.Read(crashed["qubes.xml.journal"])!.Select(e => e.Kind == "change" ? $"{e.Kind} r{e.Revision} {e.What}" : $"{e.Kind} r{e.Revision}"));

        Write(crashed["qubes.xml"], await File.ReadAllTextAsync(crashed["qubes.xml"]) + "\n");
        StoreProblem unfit = Assert.Single(StoreCheck.Run(crashed["qubes.xml"], new FixedHostFacts()).Problems);
        Assert.Equal("journal", unfit.Place);
        Assert.Equal(before, Directory.GetLastWriteTimeUtc(crashed.Path));
    }

    [Fact]
    public async Task A_generation_is_restored_and_what_was_there_is_kept()
    {
        using TemporaryDirectory directory = new();
        Write(directory["qubes.xml"], Valid);
        StoreOptions options = RunningStore.OptionsIn(directory) with { GenerationAge = TimeSpan.Zero };
        await using (RunningStore running = await RunningStore.LoadAsync(directory, options))
        {
            await running.SetAsync("work", "memory", "111");
            await running.SetAsync("work", "memory", "222");
            QubesException refused = Assert.Throws<QubesException>(() => StoreGenerations.Restore(options, 1, NullLogger.Instance));
            Assert.Contains("in use", refused.Message, StringComparison.Ordinal);
        }

        IReadOnlyList<StoreGeneration> list = StoreGenerations.List(options);
        Assert.Equal([0, 1, 2, 3], list.Select(g => g.Number));
        Assert.Equal([2, 2, 1, 0], list.Select(g => g.Revision));
        string? kept = StoreGenerations.Restore(options, 2, NullLogger.Instance);
        Assert.Contains(">222<", await File.ReadAllTextAsync(kept!), StringComparison.Ordinal);
        await using RunningStore again = await RunningStore.LoadAsync(directory, options);
        Assert.Equal("default=False type=int 111", await again.ReadAsync("work", "memory"));
        Assert.Throws<QubesException>(() => StoreGenerations.Restore(options, 9, NullLogger.Instance));
    }

    private static int LineOf(StoreProblem problem) => int.Parse(problem.Place.AsSpan("line ".Length), System.Globalization.CultureInfo.InvariantCulture);

    private static StoreReport Check(string text)
    {
        using TemporaryDirectory directory = new();
        Write(directory["qubes.xml"], text);
        return StoreCheck.Run(directory["qubes.xml"], new FixedHostFacts());
    }

    private static void Write(string path, string text)
    {
        using FileStream file = new(path, FileMode.Create);
        file.Write(Encoding.UTF8.GetBytes(text));
    }
}
