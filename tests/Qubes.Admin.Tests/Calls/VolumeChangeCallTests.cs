using System.Text;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

public sealed class VolumeChangeCallTests
{
    private const string NoVolume = "2\0PermissionDenied\0\0Argument not in 'work volumes'\0";
    private const string RunsText = "2\0QubesVMNotHaltedError\0\0";

    private static async Task<AdminFixture> StartAsync()
    {
        AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.AddQubeAsync("copy");
        await fixture.Loop.InvokeAsync(async () =>
        {
            await VolumeOf(fixture, "debian", "root").CreateAsync();
            await VolumeOf(fixture, "work", "private").CreateAsync();
            await VolumeOf(fixture, "copy", "private").CreateAsync();
        });
        return fixture;
    }

    private static Storage.Volume VolumeOf(AdminFixture fixture, string qube, string volume) =>
        fixture.Lifecycle.StorageOf((QubesVM)fixture.App.Domains[qube])[volume];

    private static async Task FillAsync(AdminFixture fixture, string qube, string text, int size = 1 << 20)
    {
        string begun = await RawClient.CallAsync(fixture.InternalSocket, $"internal.vm.volume.ImportBegin+private dom0 name {qube}\0{size}");
        string path = begun[(begun.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        await using (FileStream file = new(path, FileMode.Open, FileAccess.Write))
        {
            await file.WriteAsync(Encoding.ASCII.GetBytes(text));
        }

        Assert.Equal("0\0", await RawClient.CallAsync(fixture.InternalSocket, $"internal.vm.volume.ImportEnd+private dom0 name {qube}\0ok"));
    }

    private static async Task<string> ContentAsync(AdminFixture fixture, string qube, int length)
    {
        await using Storage.VolumeExport export = await VolumeOf(fixture, qube, "private").ExportAsync();
        await using FileStream file = File.OpenRead(export.Path);
        byte[] bytes = new byte[length];
        await file.ReadExactlyAsync(bytes);
        return Encoding.Latin1.GetString(bytes);
    }

    private static async Task<string> InfoAsync(AdminFixture fixture, string key, string volume = "private", string qube = "work")
    {
        string info = await fixture.CallAsync("admin.vm.volume.Info", volume, qube);
        return info.Split('\n').Single(line => line.StartsWith(key + "=", StringComparison.Ordinal) || line.StartsWith("0\0" + key + "=", StringComparison.Ordinal))
            .Split('=', 2)[1];
    }

    private static Task RunAsync(AdminFixture fixture, string qube) =>
        fixture.OnLoopAsync(app =>
        {
            ((QubesVM)app.Domains[qube]).Runtime.State = PowerState.Running;
        });

    [Fact]
    public async Task Admin_vm_volume_Resize()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Resize", "private", "work", " 3221225472\n"));
        Assert.Equal("3221225472", await InfoAsync(fixture, "size"));
        Assert.Equal(3221225472, await fixture.OnLoopAsync(app => SizeInStore(app, "work")));
        Assert.Equal(["resize work private 3221225472", "resize in guest work private"], fixture.Lifecycle.Asked);
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Resize", "private", "work", "1048576"));
        Assert.Equal("1048576", await InfoAsync(fixture, "size"));
        Assert.Equal(NoVolume, await fixture.CallAsync("admin.vm.volume.Resize", "swap", "work", "5"));
        Assert.StartsWith("2\0StoragePoolException\0\0Resize is not possible for volume ",
            await fixture.CallAsync("admin.vm.volume.Resize", "kernel", "work", "5"), StringComparison.Ordinal);
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'dom0 volumes'\0", await fixture.CallAsync("admin.vm.volume.Resize", "root", payload: "5"));
    }

    [Theory]
    [InlineData("", "expected payload")]
    [InlineData(" ", "Volume size contains non ASCII digits")]
    [InlineData("-1", "Volume size contains non ASCII digits")]
    [InlineData("1G", "Volume size contains non ASCII digits")]
    [InlineData("\u00b2", "Volume size contains non ASCII digits")]
    [InlineData("007", "Volume size contains spurious leading zeros")]
    [InlineData("12345678901234567890", "Volume size is bigger than 19 decimal digits")]
    public async Task A_size_is_checked(string payload, string message)
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal($"2\0ProtocolError\0\0{message}\0", await fixture.CallAsync("admin.vm.volume.Resize", "private", "work", payload));
        Assert.Equal(0, fixture.Commits);
    }

    [Fact]
    public async Task A_size_beyond_what_images_hold_is_refused()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.StartsWith("2\0QubesValueError\0",
            await fixture.CallAsync("admin.vm.volume.Resize", "private", "work", "9223372036854775807"), StringComparison.Ordinal);
        Assert.Equal("2147483648", await InfoAsync(fixture, "size"));
    }

    [Fact]
    public async Task A_new_size_is_kept_when_the_guest_cannot_follow()
    {
        await using AdminFixture fixture = await StartAsync();
        fixture.Lifecycle.GuestFailure = QubesErrors.StoragePool("Online resize failed");
        Assert.Equal("2\0StoragePoolException\0\0Online resize failed\0", await fixture.CallAsync("admin.vm.volume.Resize", "private", "work", "3221225472"));
        Assert.Equal(3221225472, await fixture.OnLoopAsync(app => SizeInStore(app, "work")));
        Assert.Equal(1, fixture.Commits);
    }

    [Fact]
    public async Task Admin_vm_volume_Revert()
    {
        await using AdminFixture fixture = await StartAsync();
        await FillAsync(fixture, "work", "old");
        await FillAsync(fixture, "work", "new", size: 2 << 20);
        string newest = (await fixture.CallAsync("admin.vm.volume.ListSnapshots", "private", "work"))[2..].TrimEnd('\n').Split('\n')[^1];
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Revert", "private", "work", newest + "\n"));
        Assert.Equal("old", await ContentAsync(fixture, "work", 3));
        Assert.Equal("1048576", await InfoAsync(fixture, "size"));
        Assert.StartsWith("2\0StoragePoolException\0\0Volume appvms/work/private has no such revision",
            await fixture.CallAsync("admin.vm.volume.Revert", "private", "work", "none-such"), StringComparison.Ordinal);
        Assert.Equal(NoVolume, await fixture.CallAsync("admin.vm.volume.Revert", "swap", "work", "1"));
        Assert.Equal("2\0ProtocolError\0\0expected payload\0", await fixture.CallAsync("admin.vm.volume.Revert", "private", "work"));
        Assert.StartsWith("2\0ProtocolError\0\0Revision name must be in safe set: abc",
            await fixture.CallAsync("admin.vm.volume.Revert", "private", "work", "../1"), StringComparison.Ordinal);
        Assert.Equal("2\0ProtocolError\0\0Revision name contains non-ASCII characters\0",
            await fixture.CallAsync("admin.vm.volume.Revert", "private", "work", "\u00e4"));
    }

    [Fact]
    public async Task Admin_vm_volume_Clear()
    {
        await using AdminFixture fixture = await StartAsync();
        await FillAsync(fixture, "work", "data");
        List<string> seen = [];
        await fixture.OnLoopAsync(app => app.Events.On(EmitterClass.AppVM, "domain-volume-import-*", happened => seen.Add(happened.Name)));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Clear", "private", "work"));
        Assert.Equal("\0\0\0\0", await ContentAsync(fixture, "work", 4));
        Assert.Equal("1048576", await InfoAsync(fixture, "size"));
        Assert.Equal(["domain-volume-import-begin", "domain-volume-import-end"], seen);
        Assert.Equal(NoVolume, await fixture.CallAsync("admin.vm.volume.Clear", "swap", "work"));
        Assert.StartsWith("2\0StoragePoolException\0", await fixture.CallAsync("admin.vm.volume.Clear", "volatile", "work"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin.vm.volume.CloneFrom", "admin.vm.volume.CloneTo")]
    public async Task A_clone_copies_the_data_the_size_and_tells_of_it(string from, string to)
    {
        await using AdminFixture fixture = await StartAsync();
        await FillAsync(fixture, "work", "data");
        List<string> seen = [];
        await fixture.OnLoopAsync(app => app.Events.On(EmitterClass.AppVM, "domain-import-volume",
            happened => seen.Add($"{happened.Subject.SubjectText} {happened.Arguments["name"]}")));
        string token = (await fixture.CallAsync(from, "private", "work"))[2..];
        Assert.Matches("^[A-Za-z0-9]{32}$", token);
        Assert.Equal(0, fixture.Commits);
        Assert.Equal("0\0", await fixture.CallAsync(to, "private", "copy", token + "\n"));
        Assert.Equal("data", await ContentAsync(fixture, "copy", 4));
        Assert.Equal("1048576", await InfoAsync(fixture, "size", qube: "copy"));
        Assert.Equal(1048576, await fixture.OnLoopAsync(app => SizeInStore(app, "copy")));
        Assert.Equal(["copy private"], seen);
        Assert.Equal("2\0QubesVolumeCopyTokenNotFoundError\0\0'Token to clone volume of qube was not found'\0",
            await fixture.CallAsync(to, "private", "copy", token));
    }

    [Fact]
    public async Task A_clone_is_checked()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal(NoVolume, await fixture.CallAsync("admin.vm.volume.CloneFrom", "swap", "work"));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'dom0 volumes'\0", await fixture.CallAsync("admin.vm.volume.CloneFrom", "root"));
        string token = (await fixture.CallAsync("admin.vm.volume.CloneFrom", "private", "work"))[2..];
        Assert.Equal(NoVolume, await fixture.CallAsync("admin.vm.volume.CloneTo", "swap", "work", token));
        Assert.Equal("2\0ProtocolError\0\0Token contains non-ASCII characters\0", await fixture.CallAsync("admin.vm.volume.CloneTo", "private", "copy", "\u00e4"));
        Assert.Equal("2\0ProtocolError\0\0expected payload\0", await fixture.CallAsync("admin.vm.volume.CloneTo", "private", "copy"));

        // A wrong destination did not use the token up; its source's end does.
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.Remove", destination: "work"));
        Assert.Equal("2\0StoragePoolException\0\0The volume to copy from does not exist any more\0",
            await fixture.CallAsync("admin.vm.volume.CloneTo", "private", "copy", token));
    }

    [Fact]
    public async Task A_volume_used_in_place_is_not_copied_while_its_qube_runs()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Set.revisions_to_keep", "private", "work", "-1"));
        await RunAsync(fixture, "work");
        string token = (await fixture.CallAsync("admin.vm.volume.CloneFrom", "private", "work"))[2..];
        Assert.Equal("2\0StoragePoolException\0\0Volume appvms/work/private must be stopped before importing its data\0",
            await fixture.CallAsync("admin.vm.volume.CloneTo", "private", "copy", token));
    }

    [Fact]
    public async Task Only_so_many_clone_tokens_are_kept()
    {
        await using AdminFixture fixture = await StartAsync();
        Handlers.CloneTokens tokens = new();
        await fixture.OnLoopAsync(app =>
        {
            QubesVM work = (QubesVM)app.Domains["work"];
            Storage.Volume volume = fixture.Lifecycle.StorageOf(work)["private"];
            string first = tokens.Issue(work, volume);
            string second = tokens.Issue(work, volume);
            for (int i = 0; i < Handlers.CloneTokens.Most - 1; i++)
            {
                tokens.Issue(work, volume);
            }

            Assert.False(tokens.TryTake(first, out _));
            Assert.True(tokens.TryTake(second, out _));
            Assert.False(tokens.TryTake(second, out _));
        });
    }

    [Fact]
    public async Task Admin_vm_volume_Set_revisions_to_keep()
    {
        await using AdminFixture fixture = await StartAsync();
        const string call = "admin.vm.volume.Set.revisions_to_keep";
        Assert.Equal("0\0", await fixture.CallAsync(call, "private", "work", "5"));
        Assert.Equal("5", await InfoAsync(fixture, "revisions_to_keep"));
        await RunAsync(fixture, "work");
        Assert.Equal("0\0", await fixture.CallAsync(call, "private", "work", "0"));
        Assert.StartsWith(RunsText, await fixture.CallAsync(call, "private", "work", "-1"), StringComparison.Ordinal);
        Assert.Equal("0", await InfoAsync(fixture, "revisions_to_keep"));
        Assert.Equal("2\0QubesValueError\0\0Invalid value for revisions_to_keep\0", await fixture.CallAsync(call, "private", "work", "-2"));
        Assert.Equal("2\0QubesValueError\0\0Invalid value for revisions_to_keep\0", await fixture.CallAsync(call, "private", "work", "2147483648"));
        Assert.Equal("2\0ProtocolError\0\0Revisions to keep contains non ASCII digits\0", await fixture.CallAsync(call, "private", "work", "5 "));
        Assert.Equal("2\0ProtocolError\0\0Revisions to keep contains spurious leading zeros\0", await fixture.CallAsync(call, "private", "work", "-01"));
        Assert.Equal(NoVolume, await fixture.CallAsync(call, "swap", "work", "1"));
    }

    [Fact]
    public async Task Admin_vm_volume_Set_rw()
    {
        await using AdminFixture fixture = await StartAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Set.rw", "private", "work", "FALSE"));
        Assert.Equal("False", await InfoAsync(fixture, "rw"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.Set.rw", "private", "work", "on"));
        Assert.Equal("True", await InfoAsync(fixture, "rw"));
        Assert.Equal("2\0ProtocolError\0\0Payload is not boolean ASCII\0", await fixture.CallAsync("admin.vm.volume.Set.rw", "private", "work", "True "));
        Assert.Equal("2\0ProtocolError\0\0Payload is not boolean ASCII\0", await fixture.CallAsync("admin.vm.volume.Set.rw", "private", "work", "\u00e4"));
        Assert.Equal(NoVolume, await fixture.CallAsync("admin.vm.volume.Set.rw", "swap", "work", "1"));
        await RunAsync(fixture, "work");
        Assert.Equal(RunsText + "Domain is not powered off: 'work'\0", await fixture.CallAsync("admin.vm.volume.Set.rw", "private", "work", "0"));
    }

    [Fact]
    public async Task Admin_vm_volume_Set_ephemeral()
    {
        await using AdminFixture fixture = await StartAsync();
        const string call = "admin.vm.volume.Set.ephemeral";
        const string keeps = "2\0QubesValueError\0\0Cannot enable ephemeral on snap_on_start or save_on_stop or non-dom0 or not writable volume\0";
        Assert.Equal("0\0", await fixture.CallAsync(call, "volatile", "work", "yes"));
        Assert.Equal("True", await InfoAsync(fixture, "ephemeral", "volatile"));
        Assert.Equal("0\0", await fixture.CallAsync(call, "volatile", "work", "no"));
        Assert.Equal("False", await InfoAsync(fixture, "ephemeral", "volatile"));
        Assert.Equal(keeps, await fixture.CallAsync(call, "private", "work", "1"));
        Assert.Equal(keeps, await fixture.CallAsync(call, "root", "work", "1"));
        Assert.Equal("0\0", await fixture.CallAsync(call, "private", "work", "0"));
        Assert.Equal("2\0ProtocolError\0\0Payload is not boolean ASCII\0", await fixture.CallAsync(call, "volatile", "work", "maybe"));
        Assert.Equal(NoVolume, await fixture.CallAsync(call, "swap", "work", "1"));
    }

    [Fact]
    public async Task A_setting_that_cannot_be_recorded_is_taken_back()
    {
        await using AdminFixture fixture = await StartAsync();
        fixture.DiskIsFull = true;
        Assert.StartsWith("2\0QubesException\0", await fixture.CallAsync("admin.vm.volume.Set.rw", "private", "work", "0"), StringComparison.Ordinal);
        Assert.Equal("True", await InfoAsync(fixture, "rw"));
    }

    private static long SizeInStore(Model.QubesApp app, string qube) =>
        ((QubesVM)app.Domains[qube]).Volumes.TryGet("private", out Model.Volumes.VolumeConfig? volume) ? volume.Size : -1;
}
