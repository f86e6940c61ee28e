using System.Text;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Model.Changes;
using Qubes.Store.Files;
using Qubes.Store.History;

namespace Qubes.Store.Tests.Files;

/// <summary>Files that change with a commit, after a crash at any point of it.</summary>
public sealed class FileCommitTests
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly ChangeOrigin Origin = new("dom0", "admin.change.Apply", new DateTimeOffset(2026, 5, 4, 3, 2, 1, TimeSpan.Zero).AddTicks(7));

    [Fact]
    public async Task New_contents_take_their_places_once_the_commit_is_there()
    {
        using TemporaryDirectory directory = Make();
        await using (FileCommit commit = await PrepareAsync(directory))
        {
            Assert.Equal("old", await File.ReadAllTextAsync(directory["appvms/work/firewall.xml"]));
            await commit.FinishAsync();
        }

        AssertFiles(directory, isNew: true);
    }

    [Fact]
    public async Task Without_a_commit_nothing_is_left_of_them()
    {
        using TemporaryDirectory directory = Make();
        await (await PrepareAsync(directory)).DisposeAsync();
        AssertFiles(directory, isNew: false);
    }

    [Theory]
    [InlineData("", 0, false)]
    [InlineData("other", 6, false)]
    [InlineData("own", 6, true)]
    [InlineData("own later", 8, true)]
    [InlineData("old", 5, false)]
    [InlineData("", 6, true)]
    public async Task After_a_crash_the_history_says_whether_the_commit_came_about(string lines, long revision, bool isNew)
    {
        using TemporaryDirectory directory = Make();
        Write(directory, 5, Origin with { Call = "before" });
        _ = await PrepareAsync(directory);
        switch (lines)
        {
            case "other":
                Write(directory, 6, Origin with { When = Origin.When.AddTicks(1) });
                break;
            case "own":
                Write(directory, 6, Origin);
                break;
            case "own later":
                Write(directory, 6, Origin with { Who = "work" });
                Write(directory, 7, Origin);
                Write(directory, 8, Origin with { Call = "other" });
                break;
            case "old":
                // An earlier call like this one is not this one.
                File.Delete(directory["history/changes.jsonl"]);
                Write(directory, 5, Origin);
                break;
        }

        FileCommits again = Open(directory);
        Assert.Equal(1, again.Recover(revision));
        AssertFiles(directory, isNew);
        Assert.Equal(0, again.Recover(revision));
    }

    [Fact]
    public async Task A_commit_whose_files_could_not_be_put_in_place_is_finished_before_the_next()
    {
        using TemporaryDirectory directory = Make();
        FileCommits commits = Open(directory);
        FileCommit commit = await commits.PrepareAsync(Origin, 5, Changes);

        // A directory stands where a file should go.
        File.Delete(directory["appvms/work/firewall.xml"]);
        Directory.CreateDirectory(directory["appvms/work/firewall.xml"]);
        await Assert.ThrowsAnyAsync<IOException>(commit.FinishAsync);
        await Assert.ThrowsAnyAsync<IOException>(() => commits.PrepareAsync(Origin, 6, Changes));
        Directory.Delete(directory["appvms/work/firewall.xml"]);
        await using FileCommit next = await commits.PrepareAsync(Origin, 6, [new FileChange("appvms/work/other", "x"u8.ToArray(), Mode)]);
        Assert.Equal("new", await File.ReadAllTextAsync(directory["appvms/work/firewall.xml"]));
    }

    [Fact]
    public async Task What_cannot_be_written_leaves_nothing()
    {
        using TemporaryDirectory directory = Make();
        await Assert.ThrowsAnyAsync<IOException>(() => Open(directory).PrepareAsync(Origin, 5, [.. Changes, new FileChange("appvms/gone/firewall.xml", "x"u8.ToArray(), Mode)]));
        AssertFiles(directory, isNew: false);
    }

    [Fact]
    public async Task A_qube_that_is_gone_by_then_is_no_obstacle()
    {
        using TemporaryDirectory directory = Make();
        _ = await PrepareAsync(directory);
        Write(directory, 6, Origin);
        Directory.Delete(directory["appvms/work"], recursive: true);
        Assert.Equal(1, Open(directory).Recover(6));
        Assert.Empty(Directory.EnumerateFiles(directory[".file-commits"]));
    }

    [Theory]
    [InlineData("""{"version":2}""")]
    [InlineData("""{"version":1,"after":1,"when":"2026-01-01T00:00:00Z","who":"","call":"","files":[["../../etc/passwd","x"]]}""")]
    [InlineData("""{"version":1,"after":1,"when":"2026-01-01T00:00:00Z","who":"","call":"","files":[["appvms/../passwd","x"]]}""")]
    [InlineData("""{"version":1,"after":1,"when":"2026-01-01T00:00:00Z","who":"","call":"","files":[["appvms/work/a","../../x"]]}""")]
    [InlineData("""{"version":1,"after":1,"when":"2026-01-01T00:00:00Z","who":"","call":"","files":[["appvms/work/a"]]}""")]
    [InlineData("""{"version":1,"after":1,"when":"2026-01-01T00:00:00Z","who":"","call":"","files":[["/appvms/work","x"]]}""")]
    [InlineData("[]")]
    [InlineData("")]
    public void A_record_that_names_anything_else_is_left_in_place(string record)
    {
        using TemporaryDirectory directory = Make();
        Directory.CreateDirectory(directory[".file-commits"]);
        Put(directory, ".file-commits/a.json", record);
        Put(directory, ".file-commits/.b.json.tmp", "cut short");
        Assert.Equal(1, Open(directory).Recover(9));
        Assert.Equal(["a.json"], Directory.EnumerateFiles(directory[".file-commits"]).Select(path => Path.GetFileName(path)));
    }

    [Fact]
    public void Records_are_read_as_they_were_written() => Gen.Select(Gen.Long[0, long.MaxValue], Gen.String, Gen.String, Gen.DateTimeOffset, Gen.String[Gen.Char.AlphaNumeric, 1, 9].Array[0, 5])
        .Sample((after, who, call, when, names) =>
        {
            FileCommitRecord record = new(after, new ChangeOrigin(Valid(who), Valid(call), when),
                [.. names.Select((name, i) => new KeyValuePair<string, string?>($"appvms/{name}/x", i % 2 == 0 ? name : null))]);
            FileCommitRecord read = FileCommitRecord.Parse(record.Write());
            return read.After == after && read.Origin == record.Origin && read.Files.SequenceEqual(record.Files);
        });

    /// <summary>Half a surrogate pair is no text that anybody could be called.</summary>
    private static string Valid(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static FileChange[] Changes =>
    [
        new("appvms/work/firewall.xml", "new"u8.ToArray(), Mode), new("appvms/work/notes.txt", null, Mode), new("vm-templates/debian/firewall.xml", "made"u8.ToArray(), Mode),
    ];

    private static TemporaryDirectory Make()
    {
        TemporaryDirectory directory = new();
        Directory.CreateDirectory(directory["appvms/work"]);
        Directory.CreateDirectory(directory["vm-templates/debian"]);
        Put(directory, "appvms/work/firewall.xml", "old");
        Put(directory, "appvms/work/notes.txt", "old");
        return directory;
    }

    private static FileCommits Open(TemporaryDirectory directory) => new(directory.Path, new HistoryReader(directory["history"]), NullLogger.Instance);

    private static Task<FileCommit> PrepareAsync(TemporaryDirectory directory) => Open(directory).PrepareAsync(Origin, 5, Changes);

    private static void Write(TemporaryDirectory directory, long revision, ChangeOrigin origin)
    {
        Directory.CreateDirectory(directory["history"]);
        string line = System.Text.Json.JsonSerializer.Serialize(new { revision, when = origin.When, who = origin.Who, call = origin.Call, changes = Array.Empty<string>() });
        File.AppendAllText(directory["history/changes.jsonl"], line + "\n");
    }

    private static void AssertFiles(TemporaryDirectory directory, bool isNew)
    {
        Assert.Equal(isNew ? "new" : "old", File.ReadAllText(directory["appvms/work/firewall.xml"]));
        Assert.Equal(isNew ? ["firewall.xml"] : ["firewall.xml", "notes.txt"], Names(directory, "appvms/work"));
        Assert.Equal(isNew ? ["firewall.xml"] : [], Names(directory, "vm-templates/debian"));
        Assert.Empty(Names(directory, ".file-commits"));
    }

    private static void Put(TemporaryDirectory directory, string name, string text) => File.WriteAllBytes(directory[name], Encoding.UTF8.GetBytes(text));

    private static string[] Names(TemporaryDirectory directory, string below) =>
        [.. Directory.EnumerateFiles(directory[below]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
