namespace Qubes.Tools.Tests;

public sealed class StateToolTests : ToolHarness
{
    private const string NotStarted = "QubesVMNotStartedError";

    public StateToolTests() => Daemon.Answer("admin.vm.List+ dom0", ThreeQubes);

    [Fact]
    public async Task Starting_a_running_qube_fails_unless_it_may_be_skipped()
    {
        Daemon.Answer("admin.vm.CurrentState+ work", "mem=0 power_state=Running");
        Assert.Equal(1, await RunAsync("qvm-start", "work"));
        Assert.Equal("Error: Starting qube failed: work: Domain is already running\n", Error);
        Assert.Equal(0, await RunAsync("qvm-start", "--skip-if-running", "work"));
        Assert.Empty(Calls("admin.vm.Start"));
    }

    [Fact]
    public async Task A_qube_that_cannot_start_is_named_with_the_reason()
    {
        Daemon.Answer("admin.vm.CurrentState+ work", "mem=0 power_state=Halted")
            .Fail("admin.vm.Start+ work", "QubesMemoryError", "Not enough memory to start domain 'work'");
        Assert.Equal(1, await RunAsync("qvm-start", "work"));
        Assert.Equal("Error: Starting qube failed: work: Not enough memory to start domain 'work'\n", Error);
    }

    [Fact]
    public async Task All_means_every_qube_but_dom0()
    {
        Daemon.Answer("admin.vm.Kill+ tmpl", "").Fail("admin.vm.Kill+ work", NotStarted, "Domain is powered off: 'work'");
        Assert.Equal(0, await RunAsync("qvm-kill", "--all"));
        Assert.Equal(["admin.vm.Kill+ tmpl", "admin.vm.Kill+ work"], Calls("admin.vm.Kill").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_exit_status_of_kill_counts_failures()
    {
        Daemon.Fail("admin.vm.Kill+ tmpl", "QubesException", "a").Fail("admin.vm.Kill+ work", "QubesException", "b");
        Assert.Equal(2, await RunAsync("qvm-kill", "tmpl", "work"));
        Assert.Equal("Error: Failed to kill: tmpl: a\nError: Failed to kill: work: b\n", Error);
    }

    [Fact]
    public async Task A_shutdown_that_times_out_twice_ends_in_a_kill()
    {
        Daemon.Fail("admin.vm.Shutdown+wait work", "QubesVMShutdownTimeoutError", "Domain shutdown timed out: 'work'")
            .Answer("admin.vm.Kill+ work", "");
        Assert.Equal(0, await RunAsync("qvm-shutdown", "--wait", "work"));
        Assert.Equal("Error: Retrying shutdown of qubes that timed out: work\nError: Killing timed out qubes: work\n", Error);
        Assert.Equal(2, Calls("admin.vm.Shutdown+wait").Count());
        Assert.Single(Calls("admin.vm.Kill"));
    }

    [Fact]
    public async Task A_shutdown_of_all_is_forced_and_a_dry_run_does_nothing()
    {
        Daemon.Answer("admin.vm.Shutdown+force tmpl", "").Answer("admin.vm.Shutdown+force work", "");
        Assert.Equal(0, await RunAsync("qvm-shutdown", "--dry-run", "--all"));
        Assert.Empty(Calls("admin.vm.Shutdown"));
        Assert.Equal(0, await RunAsync("qvm-shutdown", "--all"));
        Assert.Equal(2, Calls("admin.vm.Shutdown+force ").Count());
    }

    [Fact]
    public async Task A_suspended_qube_is_resumed_and_a_paused_one_unpaused()
    {
        Daemon.Answer("admin.vm.CurrentState+ work", "power_state=Suspended").Answer("admin.vm.Resume+ work", "")
            .Answer("admin.vm.CurrentState+ tmpl", "power_state=Paused").Answer("admin.vm.Unpause+ tmpl", "");
        Assert.Equal(0, await RunAsync("qvm-unpause", "work", "tmpl"));
        Assert.Single(Calls("admin.vm.Resume"));
        Assert.Single(Calls("admin.vm.Unpause"));
    }

    [Fact]
    public async Task Check_tells_existence_state_and_partial_matches_by_its_status()
    {
        Daemon.Answer("admin.vm.List+ work", "work class=AppVM state=Running\n").Answer("admin.vm.List+ tmpl", "tmpl class=TemplateVM state=Halted\n");
        Assert.Equal(0, await RunAsync("qvm-check", "work"));
        Assert.Equal("qvm-check: work: exists\n", Error);
        Assert.Equal(3, await RunAsync("qvm-check", "--running", "work", "tmpl"));
        Assert.Equal("qvm-check: work: running\n", Error);
        Assert.Equal(1, await RunAsync("qvm-check", "--paused", "work"));
        Assert.Equal("qvm-check: None of qubes: paused\n", Error);
        Assert.Equal(1, await RunAsync("qvm-check", "-q", "nope"));
        Assert.Equal("nope: non-existent!\n", Error);
        Assert.Equal(2, await RunAsync("qvm-check"));
        Assert.Equal("", Output);
    }
}
