using System.Text;
using CsCheck;
using Qubes.Admin.Backups;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Names;

namespace Qubes.Admin.Tests.Calls;

public sealed class BackupCallTests
{
    private const string Ruler = "------------------+--------------+--------------+\n";
    private const string Head = "0\0" + Ruler + "               VM |         type |         size |\n" + Ruler;
    private const string Empty = Head + Ruler + "      Total size: |                           0 |\n" + Ruler;

    [Theory]
    [InlineData("admin.backup.Execute")]
    [InlineData("admin.backup.Info")]
    public async Task A_profile_that_does_not_exist_is_named(string method)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0QubesBackupProfileNotFoundError\0\0Backup profile does not exist: weekly\0", await fixture.CallAsync(method, "weekly"));
    }

    /// <summary>What the tools show before a backup, byte for byte as Qubes OS tells it.</summary>
    [Fact]
    public async Task The_qubes_of_a_profile_are_told_with_what_they_are_and_take()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("alone", QubeClasses.StandaloneVM);
        await fixture.OnLoopAsync(app => app.Domains["work"].Tags.Add(TagName.Parse("daily")));
        Write(fixture, "include:\n - '$tag:daily'\n - '@type:TemplateVM'\n - alone\n - nobody\ndestination_vm: work\ndestination_path: /var/tmp\n");
        Assert.Equal(
            Head
            + "            alone |     VM + Sys |            0 |\n"
            + "           debian |  Template VM |            0 |\n"
            + "             work |           VM |            0 |\n"
            + Ruler + "      Total size: |                           0 |\n" + Ruler + "VMs not selected for backup:\n - dom0\n",
            await fixture.CallAsync("admin.backup.Info", "weekly"));
    }

    [Fact]
    public async Task Without_a_list_the_qubes_say_themselves_whether_they_are_included()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.CallAsync("admin.vm.property.Set", "include_in_backups", "dom0", "False");
        await fixture.CallAsync("admin.vm.property.Set", "include_in_backups", "debian", "False");
        Write(fixture, "include: null\nexclude:\n- work\ndestination_vm: dom0\ndestination_path: /tmp\n");
        Assert.Equal(Empty + "VMs not selected for backup:\n - debian\n - dom0\n - work\n", await fixture.CallAsync("admin.backup.Info", "weekly"));
    }

    [Fact]
    public async Task Notes_and_firewall_rules_count()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string directory = Path.Combine(fixture.StateDirectory, "appvms/work");
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "notes.txt"), new string('n', 5000));
        await File.WriteAllTextAsync(Path.Combine(directory, "other.txt"), "not part of it");
        long allocated = (long)FileStatus.Find(Path.Combine(directory, "notes.txt"))!.Value.AllocatedSize;
        Write(fixture, "include: [work]\ndestination_vm: dom0\ndestination_path: /tmp\n");
        Assert.Equal(8192, allocated);
        Assert.Contains("             work |           VM |      8.0 KiB |\n", await fixture.CallAsync("admin.backup.Info", "weekly"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_running_qube_it_is_said_which_state_the_backup_has()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.OnLoopAsync(app => ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Running);
        Write(fixture, "include: [work]\ndestination_vm: dom0\ndestination_path: /tmp\n");
        Assert.Contains(
            "             work |           VM |            0 | <-- The VM is running, backup will contain its state from before its start!\n",
            await fixture.CallAsync("admin.backup.Info", "weekly"), StringComparison.Ordinal);
        await fixture.OnLoopAsync(app =>
        {
            QubesVM work = (QubesVM)app.Domains["work"];
            work.Volumes.Set(work.Volumes.All.Single(volume => volume.Name == "private") with { RevisionsToKeep = -1 });
        });
        Assert.Contains(
            " | <-- The VM is running and private volume snapshots are disabled. Backup will fail!\n",
            await fixture.CallAsync("admin.backup.Info", "weekly"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("destination_path: /tmp\ninclude: null\n", "missing 'destination_vm'")]
    [InlineData("destination_vm: dom0\ninclude: null\n", "missing 'destination_path'")]
    [InlineData("destination_vm: dom0\ndestination_path: /tmp\n", "missing 'include'")]
    [InlineData("", "it is no mapping")]
    [InlineData("- work\n", "it is no mapping")]
    [InlineData("include: work\n" + Destination, "line 1: include must be a list")]
    [InlineData("include: null\nexclude: work\n" + Destination, "line 2: exclude must be a list")]
    [InlineData("include:\n- a: b\n" + Destination, "line 2: a text is expected")]
    [InlineData("include: &x [a]\n" + Destination, "line 1: anchors and tags are not understood")]
    [InlineData("include: [!!str a]\n" + Destination, "line 1: anchors and tags are not understood")]
    [InlineData("include: null\ninclude: null\n" + Destination, "line 2: include is given twice")]
    [InlineData("include: null\ncompression: []\n" + Destination, "compression must be true, false or a program")]
    [InlineData("include: null\n" + Destination + "---\na: b\n", "there is more than one document")]
    public async Task What_is_wrong_with_a_profile_is_told(string profile, string expected)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Write(fixture, profile);
        Assert.Equal($"2\0QubesException\0\0Invalid backup profile - {expected}\0", await fixture.CallAsync("admin.backup.Info", "weekly"));
    }

    [Fact]
    public async Task Text_that_is_no_yaml_is_told_with_its_line()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Write(fixture, "include: null\nx: [\n");
        Assert.StartsWith("2\0QubesException\0\0Invalid backup profile - line ", await fixture.CallAsync("admin.backup.Info", "weekly"), StringComparison.Ordinal);
        Write(fixture, new string('#', 70_000));
        Assert.Equal("2\0QubesException\0\0Invalid backup profile - longer than 65536 bytes\0", await fixture.CallAsync("admin.backup.Info", "weekly"));
        await File.WriteAllBytesAsync(ProfileOf(fixture), [0xff]);
        Assert.Equal("2\0QubesException\0\0Invalid backup profile - not UTF-8 text\0", await fixture.CallAsync("admin.backup.Info", "weekly"));
    }

    [Theory]
    [InlineData("admin.backup.Info")]
    [InlineData("admin.backup.Execute")]
    public async Task Where_the_backup_goes_is_checked(string method)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Write(fixture, "include: []\npassphrase_text: x\ndestination_vm: nobody\ndestination_path: /tmp\n");
        Assert.Equal("2\0QubesException\0\0Invalid destination_vm specified in backup profile\0", await fixture.CallAsync(method, "weekly"));
    }

    [Theory]
    [InlineData("", "QubesException", "Invalid backup profile - you need to specify passphrase_text or passphrase_vm")]
    [InlineData("passphrase_vm: nobody\n", "QubesException", "Invalid backup profile - invalid passphrase_vm")]
    [InlineData("passphrase_vm: work\n", "QubesNotImplementedError", "This version makes no backups")]
    [InlineData("passphrase_text: 1234\npassphrase_vm: nobody\n", "QubesNotImplementedError", "This version makes no backups")]
    public async Task Execute_needs_a_passphrase_and_Info_none(string passphrase, string error, string message)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Write(fixture, passphrase + "include: []\n" + Destination);
        Assert.Equal($"2\0{error}\0\0{message}\0", await fixture.CallAsync("admin.backup.Execute", "weekly"));
        Assert.StartsWith(Empty, await fixture.CallAsync("admin.backup.Info", "weekly"), StringComparison.Ordinal);
    }

    /// <summary>Profiles as the tools write them: sorted, a list item a line, in single quotes where they must be.</summary>
    [Fact]
    public void Whatever_name_stands_in_a_list_is_read_as_it_is() =>
        Gen.String[Gen.Char["abN0:#'\"-@$%&*!|>?{}[], "], 1, 20].Array[0, 5].Sample(
            words =>
            {
                BackupProfile profile = BackupProfileReader.Read(
                    Destination + "include:" + (words.Length == 0 ? " []" : "") + "\n"
                    + string.Concat(words.Select(word => $"- '{word.Replace("'", "''", StringComparison.Ordinal)}'\n")));
                Assert.Equal(words.Select(word => word.Replace('$', '@')), profile.Include!);
            });

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1023, "1023")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1076, "1.1 KiB")]
    [InlineData(1280, "1.2 KiB")]
    [InlineData(1792, "1.8 KiB")]
    [InlineData(1048575, "1024.0 KiB")]
    [InlineData(1310720, "1.2 MiB")]
    [InlineData(1073741823, "1024.0 MiB")]
    [InlineData(1342177280, "1.2 GiB")]
    [InlineData(123456789012, "115.0 GiB")]
    public void Sizes_are_rounded_as_people_know_them(long bytes, string expected) => Assert.Equal(expected, BackupSummary.Size(bytes));

    [Fact]
    public async Task Admin_backup_Cancel()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0QubesException\0\0Backup operation not running\0", await fixture.CallAsync("admin.backup.Cancel", "weekly"));
    }

    [Theory]
    [InlineData("admin.backup.Execute")]
    [InlineData("admin.backup.Info")]
    [InlineData("admin.backup.Cancel")]
    public async Task A_profile_is_a_name_and_no_path(string method)
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("2\0ProtocolError\0\0Backup profile ID must not contain forward slash character\0", await fixture.CallAsync(method, "../weekly"));
        Assert.Equal("2\0ProtocolError\0\0expected an argument\0", await fixture.CallAsync(method));
        Assert.Equal("2\0ProtocolError\0\0expected destination to be AdminVM\0", await fixture.CallAsync(method, "weekly", "work"));
    }

    private const string Destination = "destination_vm: dom0\ndestination_path: /tmp\n";

    private static string ProfileOf(AdminFixture fixture) => Path.Combine(fixture.Storage.Environment.Paths.BackupProfileDirectory, "weekly.conf");

    private static void Write(AdminFixture fixture, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(ProfileOf(fixture))!);
        using FileStream file = new(ProfileOf(fixture), FileMode.Create);
        file.Write(Encoding.UTF8.GetBytes(text));
    }
}
