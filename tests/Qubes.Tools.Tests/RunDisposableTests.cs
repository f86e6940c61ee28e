namespace Qubes.Tools.Tests;

/// <summary>
/// qvm-run --dispvm up to the qrexec client, which is not there: the disposable has to go all the same. With a guest: the end-to-end tests.
/// </summary>
public sealed class RunDisposableTests : ToolHarness
{
    private const int NotRun = 255;

    public RunDisposableTests() => Daemon
        .Answer("admin.vm.property.Get+default_dispvm dom0", "default=False type=vm dvm")
        .Answer("admin.vm.property.Get+qrexec_timeout dvm", "default=True type=int 60")
        .Fail("admin.vm.feature.CheckWithTemplate+os dvm", "QubesFeatureNotFoundError", "Feature not set for domain dvm: os")
        .Answer("admin.vm.CreateDisposable+ dom0", "disp7").Answer("admin.vm.CreateDisposable+ dvm", "disp8")
        .Answer("admin.vm.Start+ disp7", "").Answer("admin.vm.Start+ disp8", "")
        .Answer("admin.vm.Kill+ disp7", "").Answer("admin.vm.Kill+ disp8", "");

    [Fact]
    public async Task The_disposable_is_killed_whatever_becomes_of_the_command()
    {
        Assert.Equal(NotRun, await RunAsync("qvm-run", "--no-gui", "--dispvm", "--", "true"));
        Assert.Equal(["admin.vm.CreateDisposable+ dom0", "admin.vm.Start+ disp7", "admin.vm.Kill+ disp7"], Daemon.Requests.Skip(3));
        Assert.StartsWith("Running 'true' on @dispvm\n", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_can_be_named()
    {
        Assert.Equal(NotRun, await RunAsync("qvm-run", "--no-gui", "--dispvm=dvm", "true"));
        Assert.Equal(["admin.vm.CreateDisposable+ dvm", "admin.vm.Start+ disp8", "admin.vm.Kill+ disp8"], Daemon.Requests.Skip(2));
        Assert.StartsWith("Running 'true' on @dispvm:dvm\n", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_word_after_the_option_is_the_template()
    {
        Assert.Equal(NotRun, await RunAsync("qvm-run", "--no-gui", "--dispvm", "dvm", "true"));
        Assert.Contains("admin.vm.CreateDisposable+ dvm", Daemon.Requests);
    }

    [Fact]
    public async Task One_that_does_not_start_is_not_left()
    {
        Daemon.Fail("admin.vm.Start+ disp7", "QubesVMError", "no").Fail("admin.vm.Kill+ disp7", "QubesVMNotFoundError", "No such domain: 'disp7'");
        Assert.Equal(NotRun, await RunAsync("qvm-run", "--no-gui", "--dispvm", "--", "true"));
        Assert.Contains("@dispvm: no\n", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_any_template_there_is_an_error()
    {
        Daemon.Answer("admin.vm.property.Get+default_dispvm dom0", "default=True type=vm ");
        Assert.Equal(NotRun, await RunAsync("qvm-run", "--no-gui", "--dispvm", "--", "true"));
        Assert.Empty(Calls("admin.vm.CreateDisposable"));
    }

    [Theory]
    [InlineData("--dispvm", "--all", "true")]
    [InlineData("--dispvm=dvm", "--exclude=work", "true")]
    [InlineData("--dispvm=dvm")]
    public async Task What_makes_no_sense_is_refused(params string[] words)
    {
        Assert.Equal(2, await RunAsync("qvm-run", words));
        Assert.Empty(Daemon.Requests);
    }
}
