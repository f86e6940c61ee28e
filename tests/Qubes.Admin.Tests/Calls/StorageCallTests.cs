using System.Globalization;
using System.Text;
using Qubes.Model.Classes;

using Qubes.Testing;

namespace Qubes.Admin.Tests.Calls;

public sealed class StorageCallTests
{
    private static Task<string> InternalAsync(AdminFixture fixture, string method, string volume, string payload, string source = "dom0") =>
        RawClient.CallAsync(fixture.InternalSocket, $"{method}+{volume} {source} name work\0{payload}");

    private static async Task<AdminFixture> StartWithVolumesAsync()
    {
        AdminFixture fixture = await AdminFixture.StartAsync();
        await fixture.Loop.InvokeAsync(async () =>
        {
            await fixture.Lifecycle.StorageOf((QubesVM)fixture.App.Domains["debian"])["root"].CreateAsync();
            await fixture.Lifecycle.StorageOf((QubesVM)fixture.App.Domains["work"])["private"].CreateAsync();
        });
        return fixture;
    }

    [Fact]
    public async Task Admin_pool_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0varlibqubes\n", await fixture.CallAsync("admin.pool.List"));
    }

    [Fact]
    public async Task Admin_pool_ListDrivers()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string[] lines = (await fixture.CallAsync("admin.pool.ListDrivers"))[2..].TrimEnd('\n').Split('\n');
        Assert.Contains(lines, l => l.StartsWith("file-reflink ", StringComparison.Ordinal) && l.Contains(" dir_path", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.StartsWith("linux-kernel dir_path", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Admin_pool_Info()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        string[] lines = (await fixture.CallAsync("admin.pool.Info", "varlibqubes"))[2..].TrimEnd('\n').Split('\n');
        Assert.StartsWith("dir_path=/", lines[0], StringComparison.Ordinal);
        Assert.Contains("driver=file-qcow2", lines);
        Assert.Contains("name=varlibqubes", lines);
        Assert.True(long.Parse(lines[^2]["size=".Length..], CultureInfo.InvariantCulture) > 0);
        Assert.StartsWith("usage=", lines[^1], StringComparison.Ordinal);
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'pools'\0", await fixture.CallAsync("admin.pool.Info", "nowhere"));
    }

    [Fact]
    public async Task Admin_pool_UsageDetails()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Matches("^0\0data_size=[0-9]+\ndata_usage=[0-9]+\n$", await fixture.CallAsync("admin.pool.UsageDetails", "varlibqubes"));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'pools'\0", await fixture.CallAsync("admin.pool.UsageDetails", "nowhere"));
    }

    [Fact]
    public async Task Admin_vm_volume_List()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        Assert.Equal("0\0root\nprivate\nvolatile\nkernel\n", await fixture.CallAsync("admin.vm.volume.List", destination: "work"));
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.List"));
    }

    [Fact]
    public async Task Admin_vm_volume_Info()
    {
        await using AdminFixture fixture = await StartWithVolumesAsync();
        string[] lines = (await fixture.CallAsync("admin.vm.volume.Info", "private", "work"))[2..].TrimEnd('\n').Split('\n');
        Assert.Equal(
            ["pool", "vid", "size", "usage", "rw", "source", "path", "save_on_stop", "snap_on_start", "revisions_to_keep", "ephemeral"],
            lines.Select(l => l.Split('=')[0]));
        Assert.Equal(["pool=varlibqubes", "vid=appvms/work/private", "size=2147483648"], lines[..3]);
        Assert.Equal(["rw=True", "source="], lines[4..6]);
        Assert.Equal("save_on_stop=True", lines[7]);
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'work volumes'\0", await fixture.CallAsync("admin.vm.volume.Info", "swap", "work"));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'dom0 volumes'\0", await fixture.CallAsync("admin.vm.volume.Info", "root"));
    }

    [Fact]
    public async Task Admin_vm_volume_ListSnapshots()
    {
        await using AdminFixture fixture = await StartWithVolumesAsync();
        Assert.Equal("0\0", await fixture.CallAsync("admin.vm.volume.ListSnapshots", "private", "work"));
        await InternalAsync(fixture, "internal.vm.volume.ImportBegin", "private", "1048576");
        await InternalAsync(fixture, "internal.vm.volume.ImportEnd", "private", "ok");
        Assert.Matches("^0\0[0-9A-Za-z:._-]+\n$", await fixture.CallAsync("admin.vm.volume.ListSnapshots", "private", "work"));
        Assert.Equal("2\0PermissionDenied\0\0Argument not in 'work volumes'\0",
            await fixture.CallAsync("admin.vm.volume.ListSnapshots", "swap", "work"));
    }

    [Theory]
    [InlineData("internal.vm.volume.ImportBegin", "internal.vm.volume.ImportEnd")]
    public async Task An_import_replaces_the_data(string begin, string end)
    {
        await using AdminFixture fixture = await StartWithVolumesAsync();
        string reply = await InternalAsync(fixture, begin, "private", "1048576");
        Assert.StartsWith("0\01048576 /", reply, StringComparison.Ordinal);
        string path = reply[(2 + "1048576 ".Length)..];
        byte[] data = Encoding.ASCII.GetBytes("imported");
        await using (FileStream file = new(path, FileMode.Open, FileAccess.Write))
        {
            await file.WriteAsync(data);
        }

        Assert.Equal("0\0", await InternalAsync(fixture, end, "private", "ok"));
        Assert.Contains("size=1048576\n", await fixture.CallAsync("admin.vm.volume.Info", "private", "work"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_import_keeps_the_data_and_tells_why()
    {
        await using AdminFixture fixture = await StartWithVolumesAsync();
        Assert.StartsWith("0\02147483648 /", await InternalAsync(fixture, "internal.vm.volume.ImportBegin", "private", ""), StringComparison.Ordinal);
        Assert.Equal("2\0QubesException\0\0Data import failed: not enough data\0",
            await InternalAsync(fixture, "internal.vm.volume.ImportEnd", "private", "fail\nnot enough data"));
        Assert.Contains("size=2147483648\n", await fixture.CallAsync("admin.vm.volume.Info", "private", "work"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("private", "x", "ProtocolError", "Size of new data contains non ASCII digits")]
    [InlineData("private", "01", "ProtocolError", "Size of new data contains spurious leading zeros")]
    [InlineData("private", "12345678901234567890", "ProtocolError", "Size of new data is bigger than 19 decimal digits")]
    [InlineData("swap", "1", "ProtocolError", "Argument not in work volumes")]
    public async Task An_import_is_checked(string volume, string size, string error, string message)
    {
        await using AdminFixture fixture = await StartWithVolumesAsync();
        Assert.Equal($"2\0{error}\0\0{message}\0", await InternalAsync(fixture, "internal.vm.volume.ImportBegin", volume, size));
    }

    [Fact]
    public async Task An_import_needs_a_halted_qube_and_the_permission_of_the_call_it_is_part_of()
    {
        await using AdminFixture fixture = await StartWithVolumesAsync();
        List<string> asked = [];
        await fixture.OnLoopAsync(app =>
        {
            ((QubesVM)app.Domains["work"]).Runtime.State = PowerState.Running;
            app.Events.On(Model.Events.EmitterClass.AdminVM, "admin-permission:admin.vm.volume.*", happened => asked.Add(happened.Name));
        });
        const string running = "2\0QubesVMNotHaltedError\0\0Domain is not powered off: 'work'\0";
        Assert.Equal(running, await InternalAsync(fixture, "internal.vm.volume.ImportBegin", "private", "5"));
        Assert.Equal(running, await InternalAsync(fixture, "internal.vm.volume.ImportBegin", "private", ""));
        Assert.Equal(["admin-permission:admin.vm.volume.ImportWithSize", "admin-permission:admin.vm.volume.Import"], asked);
    }
}
