using Qubes.Libvirt;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Model.Labels;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Lifecycle.Tests;

public sealed class SleepTests : IAsyncLifetime
{
    private LifecycleFixture _fixture = null!;

    private AppVM Work => _fixture.Work;

    private string PausedList => Path.Combine(_fixture.Paths.QubesRunDirectory, "previously-paused.list");

    public async ValueTask InitializeAsync()
    {
        _fixture = await LifecycleFixture.StartAsync();
        await _fixture.StartAsync(Work);
        _fixture.Events.Clear();
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_guest_that_cannot_sleep_is_paused_and_goes_on()
    {
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.SuspendAsync(Work));
        Assert.Equal(PowerState.Paused, await _fixture.StateAsync(Work));
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.SuspendAsync(Work));
        Assert.Equal(PowerState.Paused, await _fixture.StateAsync(Work));
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.ResumeAsync(Work));
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(Work));
        Assert.Contains("domain-unpaused", _fixture.Events.Of(Work.Name));
    }

    [Fact]
    public async Task A_guest_that_sleeps_is_suspended_and_woken_up()
    {
        _fixture.Hypervisor.GuestsSleep = true;
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.SuspendAsync(Work));
        Assert.Equal(PowerState.Suspended, await _fixture.StateAsync(Work));
        QubesException twice = await Assert.ThrowsAsync<QubesException>(() => _fixture.OnLoopAsync(() => _fixture.Lifecycle.SuspendAsync(Work)));
        Assert.Equal(QubesErrorNames.VMNotRunning, twice.WireName);
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.ResumeAsync(Work));
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(Work));
        Assert.Contains("domain-resumed", _fixture.Events.Of(Work.Name));
        Assert.DoesNotContain("domain-unpaused", _fixture.Events.Of(Work.Name));
    }

    [Fact]
    public async Task A_halted_qube_neither_sleeps_nor_wakes()
    {
        QubesException sleep = await Assert.ThrowsAsync<QubesException>(() => _fixture.OnLoopAsync(() => _fixture.Lifecycle.SuspendAsync(_fixture.Template)));
        Assert.Equal(QubesErrorNames.VMNotRunning, sleep.WireName);
        QubesException wake = await Assert.ThrowsAsync<QubesException>(() => _fixture.OnLoopAsync(() => _fixture.Lifecycle.ResumeAsync(_fixture.Template)));
        Assert.Equal(QubesErrorNames.VMNotPaused, wake.WireName);
    }

    [Fact]
    public async Task What_was_paused_before_the_host_slept_stays_paused()
    {
        await _fixture.StartAsync(_fixture.Template);
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.PauseAsync(_fixture.Template));
        await _fixture.OnLoopAsync(_fixture.Lifecycle.SuspendAllAsync);
        Assert.Equal(PowerState.Paused, await _fixture.StateAsync(Work));
        Assert.Equal(_fixture.Template.Name.Value, await File.ReadAllTextAsync(PausedList));
        await _fixture.OnLoopAsync(_fixture.Lifecycle.ResumeAllAsync);
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(Work));
        Assert.Equal(PowerState.Paused, await _fixture.StateAsync(_fixture.Template));
        Assert.False(File.Exists(PausedList));

        // A resume nobody announced: nothing is known to have been paused.
        await _fixture.OnLoopAsync(_fixture.Lifecycle.ResumeAllAsync);
        Assert.Equal(PowerState.Running, await _fixture.StateAsync(_fixture.Template));
    }

    [Fact]
    public async Task The_host_is_told_which_qubes_do_not_sleep_and_the_others_do()
    {
        await _fixture.StartAsync(_fixture.Template);
        int calls = 0;
        _fixture.Hypervisor.GuestsSleep = true;
        _fixture.Hypervisor.Before["sleep"] = () => calls++ == 0
            ? throw new LibvirtException("virDomainPMSuspendForDuration", LibvirtError.Internal, "it is broken")
            : Task.CompletedTask;
        QubesException failure = await Assert.ThrowsAsync<QubesException>(() => _fixture.OnLoopAsync(_fixture.Lifecycle.SuspendAllAsync));
        Assert.Matches("^Failed to suspend some qubes: \n[a-z0-9]+: .*it is broken$", failure.Message);
        PowerState[] states = [await _fixture.StateAsync(Work), await _fixture.StateAsync(_fixture.Template)];
        Assert.Equal([PowerState.Running, PowerState.Suspended], states.Order());
    }

    [Fact]
    public async Task The_test_drivers_domains_have_no_console()
    {
        string console = "?";
        await _fixture.OnLoopAsync(async () =>
        {
            console = await _fixture.Lifecycle.FindConsoleAsync(Work);
        });
        Assert.Equal("", console);
        QubesException halted = await Assert.ThrowsAsync<QubesException>(() => _fixture.OnLoopAsync(async () =>
        {
            console = await _fixture.Lifecycle.FindConsoleAsync(_fixture.Template);
        }));
        Assert.Equal(QubesErrorNames.VMNotRunning, halted.WireName);
    }

    [Theory]
    [InlineData("<domain><devices><console type='pty' tty='/dev/pts/3'/><console tty='/dev/pts/4'/></devices></domain>", "/dev/pts/3")]
    [InlineData("<domain><devices><console type='pty'/></devices></domain>", "")]
    [InlineData("<domain/>", "")]
    public void The_console_is_the_first_one_of_the_description(string description, string console) =>
        Assert.Equal(console, QubeLifecycle.ConsoleOf(description));

    [Fact]
    public void A_description_that_is_no_xml_is_an_error() =>
        Assert.Throws<QubesException>(() => QubeLifecycle.ConsoleOf("<!DOCTYPE x [<!ENTITY e 'x'>]><domain>&e;</domain>"));

    [Fact]
    public async Task Qubes_that_do_not_run_here_say_so_whatever_is_asked()
    {
        RemoteVM far = (RemoteVM)await _fixture.OnLoopAsync(() => _fixture.App.Domains.Create(new NewQube
        {
            Class = QubeClasses.RemoteVM, Name = QubeName.Parse("far"), Label = _fixture.App.Labels.Find("red"),
        }));
        Qube dom0 = _fixture.App.Domains.AdminVM;
        QubeLifecycle lifecycle = _fixture.Lifecycle;
        (Func<Task> Call, string Error, string Text)[] expected =
        [
            (() => lifecycle.StartAsync(dom0), QubesErrorNames.VMNotHalted, "Cannot start Dom0 fake domain!"),
            (() => lifecycle.StartAsync(far), QubesErrorNames.VMNotHalted, "Cannot start a RemoteVM."),
            (() => lifecycle.KillAsync(dom0), QubesErrorNames.VMError, "Cannot kill Dom0 fake domain!"),
            (() => lifecycle.KillAsync(far), QubesErrorNames.VMError, "Cannot kill a RemoteVM."),
            (() => lifecycle.SuspendAsync(dom0), QubesErrorNames.VMError, "Cannot suspend Dom0 fake domain!"),
            (() => lifecycle.SuspendAsync(far), QubesErrorNames.VMError, "Cannot suspend a RemoteVM."),
            (() => lifecycle.ResumeAsync(dom0), QubesErrorNames.VMError, "Cannot resume Dom0 fake domain!"),
            (() => lifecycle.ResumeAsync(far), QubesErrorNames.VMError, "Cannot resume a RemoteVM."),
            (() => lifecycle.PauseAsync(far), QubesErrorNames.VMError, "Cannot pause a RemoteVM."),
            (() => lifecycle.UnpauseAsync(far), QubesErrorNames.VMError, "Cannot unpause a RemoteVM."),
            (() => lifecycle.ShutdownAsync(dom0, force: true, wait: false), QubesErrorNames.VMError, "Cannot shutdown Dom0 fake domain!"),
            (() => lifecycle.ShutdownAsync(far, force: false, wait: true), QubesErrorNames.VMError, "Cannot shutdown a RemoteVM."),
        ];
        foreach ((Func<Task> call, string error, string text) in expected)
        {
            QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.OnLoopAsync(call));
            Assert.Equal((error, text), (refused.WireName, refused.Message));
        }

        await _fixture.RemoveAsync(far);
        Assert.False(far.IsInCollection);
    }

    [Fact]
    public async Task A_remote_qube_has_no_pools_to_be_put_into()
    {
        QubesException refused = await Assert.ThrowsAsync<QubesException>(() => _fixture.OnLoopAsync(async () =>
        {
            Qube far = _fixture.App.Domains.Create(new NewQube
            {
                Class = QubeClasses.RemoteVM, Name = QubeName.Parse("far"), Label = LabelSet.BuiltIn[0],
            });
            await _fixture.Lifecycle.CreateOnDiskAsync(far, "varlibqubes", new Dictionary<string, string>());
        }));
        Assert.Equal("A RemoteVM has no volumes", refused.Message);
    }

    [Fact]
    public async Task A_volume_of_a_halted_qube_is_resized()
    {
        await _fixture.KillAsync(Work);
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.ResizeVolumeAsync(Work, "private", 3L << 30));
        await _fixture.OnLoopAsync(async () => Assert.Equal(3L << 30, (await _fixture.Lifecycle.StorageOf(Work)["private"].GetStatusAsync()).Size));
        await _fixture.OnLoopAsync(() => _fixture.Lifecycle.ResizeVolumeInGuestAsync(Work, "private"));
    }

    [Fact]
    public async Task The_property_autostart_is_a_link_for_the_service_manager()
    {
        string link = Path.Combine(_fixture.Paths.Root, "etc/systemd/system/multi-user.target.wants", $"qubes-vm@{Work.Name}.service");
        await _fixture.OnLoopAsync(() => QubesVMProperties.AutoStart.SetInput(Work, true));
        Assert.Equal("/usr/lib/systemd/system/qubes-vm@.service", new FileInfo(link).LinkTarget);
        await _fixture.OnLoopAsync(() => QubesVMProperties.AutoStart.SetInput(Work, false));
        Assert.Null(new FileInfo(link).LinkTarget);
        await _fixture.OnLoopAsync(() => QubesVMProperties.AutoStart.SetInput(Work, true));
        await _fixture.OnLoopAsync(() => QubesVMProperties.AutoStart.Reset(Work));
        Assert.Null(new FileInfo(link).LinkTarget);
        await _fixture.OnLoopAsync(() => QubesVMProperties.AutoStart.SetInput(Work, true));
        await _fixture.KillAsync(Work);
        await _fixture.RemoveAsync(Work);
        Assert.Null(new FileInfo(link).LinkTarget);
    }

    [Fact]
    public async Task Without_a_place_for_the_link_autostart_is_not_set()
    {
        string systemd = Path.Combine(_fixture.Paths.Root, "etc/systemd");
        Directory.CreateDirectory(Path.GetDirectoryName(systemd)!);
        await using (File.Create(systemd))
        {
        }

        QubesException refused = await Assert.ThrowsAsync<QubesException>(() =>
            _fixture.OnLoopAsync(() => QubesVMProperties.AutoStart.SetInput(Work, true)));
        Assert.Equal("Failed to set autostart for VM in systemd", refused.Message);
        Assert.False(await _fixture.OnLoopAsync(() => Work.AutoStart));
    }

    /// <summary>With a program that only says what it was called with.</summary>
    [Theory]
    [InlineData("qubes.ResizeDisk", "-d work root:QUBESRPC qubes.ResizeDisk+ dom0\n")]
    [InlineData("qubes.Do+this", "-d work root:QUBESRPC qubes.Do+this dom0\n")]
    public async Task A_service_is_called_in_dom0s_name(string service, string words)
    {
        GuestServices services = new("/bin/echo", _fixture.Paths);
        CapturedProcess ended = await services.RunAsync("work", service, "root", default, LifecycleFixture.Patience);
        Assert.Equal(words, ended.OutputText);
        Assert.True(ended.Exit.IsSuccess);
    }
}
