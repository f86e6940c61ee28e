using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Admin.Methods;
using Qubes.Linux;
using Qubes.Policy.Loading;
using Qubes.Testing;

namespace Qubes.Admin.Tests;

public sealed class DeviceClassEntriesTests : IDisposable
{
    private static readonly string[] Calls =
        ["Assign", "Assigned", "Attach", "Attached", "Available", "Detach", "Set.assignment", "Unassign"];

    private readonly string _directory = Directory.CreateTempSubdirectory("qubes-classes-").FullName;
    private readonly QubesPaths _paths;

    public DeviceClassEntriesTests()
    {
        _paths = new QubesPaths(_directory);
        Directory.CreateDirectory(Path.Combine(_paths.PolicyDirectory, "include"));
        foreach (string include in (string[])["admin-local-ro", "admin-local-rwx"])
        {
            File.WriteAllBytes(Path.Combine(_paths.PolicyDirectory, "include", include), "mgmt work allow target=dom0\n"u8.ToArray());
        }
    }

    private string PolicyFile => Path.Combine(_paths.RuntimePolicyDirectory, DeviceClassEntries.PolicyFile);

    private string[] Links => [.. Directory.GetFileSystemEntries(_paths.RuntimeRpcDirectory).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Links_and_policy_come_and_go_with_a_class()
    {
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        DeviceClassEntries entries = await EntriesAsync(fixture);
        Assert.Empty(Links);
        Assert.False(File.Exists(PolicyFile));

        // One the method table has needs nothing.
        IDisposable lamp = await fixture.OnLoopAsync(app =>
        {
            app.Devices.Register(new MemoryDeviceSource("block"));
            return app.Devices.Register(new MemoryDeviceSource("lamp"));
        });
        await FlushAsync(fixture, entries);
        Assert.Equal(Calls.Select(c => "admin.vm.device.lamp." + c), Links);
        Assert.All(Links, link => Assert.Equal("../qubesd.sock", new FileInfo(Path.Combine(_paths.RuntimeRpcDirectory, link)).LinkTarget));
        LoadedPolicy policy = PolicyLoader.Load(new DirectoryPolicySource(_paths));
        Assert.True(policy.IsValid, policy.ErrorSummary);
        string[] lines = [.. File.ReadAllLines(PolicyFile).Where(l => l[0] == '!')];
        Assert.Equal(8, lines.Length);
        Assert.Contains("!include-service admin.vm.device.lamp.Available * /etc/qubes/policy.d/include/admin-local-ro", lines);
        Assert.Contains("!include-service admin.vm.device.lamp.Attach * /etc/qubes/policy.d/include/admin-local-rwx", lines);

        IDisposable torch = await fixture.OnLoopAsync(app =>
        {
            lamp.Dispose();
            return app.Devices.Register(new MemoryDeviceSource("torch"));
        });
        await FlushAsync(fixture, entries);
        Assert.Equal(Calls.Select(c => "admin.vm.device.torch." + c), Links);
        Assert.DoesNotContain("lamp", await File.ReadAllTextAsync(PolicyFile), StringComparison.Ordinal);

        await fixture.OnLoopAsync(_ => torch.Dispose());
        await FlushAsync(fixture, entries);
        Assert.Empty(Links);
        Assert.False(File.Exists(PolicyFile));
    }

    [Fact]
    public async Task What_an_earlier_run_left_goes_and_what_is_somebody_elses_stays()
    {
        Directory.CreateDirectory(_paths.RuntimeRpcDirectory);
        Directory.CreateDirectory(_paths.RuntimePolicyDirectory);
        await File.WriteAllTextAsync(PolicyFile, "left over");
        File.CreateSymbolicLink(Path.Combine(_paths.RuntimeRpcDirectory, "admin.vm.device.old.Attach"), "../qubesd.sock");
        File.CreateSymbolicLink(Path.Combine(_paths.RuntimeRpcDirectory, "admin.vm.device.mine.Attach"), "/elsewhere");
        await File.WriteAllTextAsync(Path.Combine(_paths.RuntimeRpcDirectory, "admin.vm.device.lamp.Attach"), "own");
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        DeviceClassEntries entries = await EntriesAsync(fixture);
        Assert.Equal(["admin.vm.device.lamp.Attach", "admin.vm.device.mine.Attach"], Links);
        Assert.False(File.Exists(PolicyFile));

        await fixture.OnLoopAsync(app => app.Devices.Register(new MemoryDeviceSource("lamp")));
        await FlushAsync(fixture, entries);
        Assert.Equal("own", await File.ReadAllTextAsync(Path.Combine(_paths.RuntimeRpcDirectory, "admin.vm.device.lamp.Attach")));
        Assert.Equal(9, Links.Length);
    }

    [Fact]
    public async Task A_default_policy_without_its_includes_is_not_made_invalid()
    {
        File.Delete(Path.Combine(_paths.PolicyDirectory, "include", "admin-local-rwx"));
        await using AdminFixture fixture = await AdminFixture.StartAsync();
        DeviceClassEntries entries = await EntriesAsync(fixture);
        await fixture.OnLoopAsync(app => app.Devices.Register(new MemoryDeviceSource("lamp")));
        await FlushAsync(fixture, entries);
        LoadedPolicy policy = PolicyLoader.Load(new DirectoryPolicySource(_paths));
        Assert.True(policy.IsValid, policy.ErrorSummary);
        Assert.Equal(3, File.ReadAllLines(PolicyFile).Count(l => l[0] == '!'));
    }

    private async Task<DeviceClassEntries> EntriesAsync(AdminFixture fixture)
    {
        DeviceClassEntries entries = await fixture.OnLoopAsync(app => new DeviceClassEntries(app, _paths, NullLogger.Instance));
        await FlushAsync(fixture, entries);
        return entries;
    }

    private static Task FlushAsync(AdminFixture fixture, DeviceClassEntries entries) =>
        fixture.Loop.InvokeAsync(entries.FlushAsync).WaitAsync(TimeSpan.FromSeconds(30));
}
