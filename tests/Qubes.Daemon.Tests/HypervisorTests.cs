using Qubes.Testing;

namespace Qubes.Daemon.Tests;

/// <summary>A hypervisor that hangs or dies, and the daemon that has to live with it.</summary>
public sealed class HypervisorTests
{
    [Fact]
    public async Task While_the_hypervisor_hangs_only_calls_that_need_it_wait()
    {
        await using LibvirtDaemon libvirt = await LibvirtDaemon.StartAsync();
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(libvirt: libvirt.Uri);
        await daemon.CreateQubesAsync();
        libvirt.Hang();
        Task<string> start = daemon.CallAsync("admin.vm.Start", destination: "work");

        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.property.Set", "memory", "work", "512"));
        Assert.Equal("0\0default=False type=int 512", await daemon.CallAsync("admin.vm.property.Get", "memory", "work"));
        Assert.Contains("\nwork class=AppVM", await daemon.CallAsync("admin.vm.List"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Create.AppVM", "debian", payload: "name=other label=red"));
        Assert.False(start.IsCompleted);

        libvirt.Continue();
        Assert.Equal("0\0", await start);
        Assert.Contains("power_state=Running", await daemon.CallAsync("admin.vm.CurrentState", destination: "work"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hypervisor_that_died_is_connected_to_again_and_its_qubes_are_halted()
    {
        await using LibvirtDaemon libvirt = await LibvirtDaemon.StartAsync();
        await using RunningDaemon daemon = await RunningDaemon.StartAsync(libvirt: libvirt.Uri);
        await daemon.CreateQubesAsync();
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
        using RawClient events = await RawClient.ConnectAsync(daemon.Paths.AdminSocket);
        await events.SendAsync("admin.Events+ dom0 name work\0");
        events.FinishOutput();

        await libvirt.CrashAsync();
        string told = "";
        while (!told.Contains("\0domain-shutdown\0", StringComparison.Ordinal))
        {
            string more = await events.ReadAsync();
            Assert.NotEqual("", more);
            told += more;
        }

        Assert.Contains("power_state=Halted", await daemon.CallAsync("admin.vm.CurrentState", destination: "work"), StringComparison.Ordinal);
        Assert.Equal("0\0", await daemon.CallAsync("admin.vm.Start", destination: "work"));
    }
}
