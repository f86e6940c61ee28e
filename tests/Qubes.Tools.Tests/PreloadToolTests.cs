namespace Qubes.Tools.Tests;

public sealed class PreloadToolTests : ToolHarness
{
    private const string NotThere = "QubesFeatureNotFoundError";
    private const string Asked = "admin.vm.CreateDisposable";

    public PreloadToolTests()
    {
        Daemon.Answer("admin.vm.List+ dom0",
            "dom0 class=AdminVM state=Running\nbase class=TemplateVM state=Halted\ndvm class=AppVM state=Halted\n"
            + "other class=AppVM state=Halted\nplain class=AppVM state=Halted\ndisp1 class=DispVM state=Running\n")
            .Answer("admin.property.Get+default_dispvm dom0", "default=False type=vm dvm")
            .Fail("admin.vm.feature.Get+preload-dispvm-max dom0", NotThere, "no")
            .Fail("admin.vm.feature.Get+preload-dispvm-max plain", NotThere, "no")
            .Answer("admin.vm.feature.Get+preload-dispvm-max dvm", "1")
            .Answer("admin.vm.feature.Get+preload-dispvm-max other", "2");
        foreach (string qube in (string[])["dvm", "other", "plain"])
        {
            Daemon.Answer($"admin.vm.property.Get+template_for_dispvms {qube}", "default=False type=bool True")
                .Answer($"{Asked}+preload {qube}", "");
        }
    }

    [Fact]
    public async Task Each_template_that_is_to_keep_some_is_asked_to()
    {
        Assert.Equal(0, await RunAsync("qubes-preload-dispvm"));
        Assert.Equal([$"{Asked}+preload dvm", $"{Asked}+preload other"], Calls(Asked));
    }

    [Theory]
    [InlineData("0", new[] { "other" })]
    [InlineData("3", new[] { "dvm", "other" })]
    public async Task The_systems_number_is_that_of_the_default_template_alone(string number, string[] asked)
    {
        Daemon.Answer("admin.vm.feature.Get+preload-dispvm-max dom0", number);
        Daemon.Answer("admin.vm.feature.Get+preload-dispvm-max dvm", number == "0" ? "5" : "0");
        Assert.Equal(0, await RunAsync("qubes-preload-dispvm"));
        Assert.Equal(asked.Select(name => $"{Asked}+preload {name}"), Calls(Asked));
    }

    [Fact]
    public async Task A_template_of_no_disposables_is_passed_over()
    {
        Daemon.Answer("admin.vm.property.Get+template_for_dispvms dvm", "default=True type=bool False");
        Assert.Equal(0, await RunAsync("qubes-preload-dispvm"));
        Assert.Equal([$"{Asked}+preload other"], Calls(Asked));
    }

    [Fact]
    public async Task One_that_fails_does_not_keep_the_others()
    {
        Daemon.Fail($"{Asked}+preload dvm", "QubesValueError", "no support");
        Assert.Equal(1, await RunAsync("qubes-preload-dispvm"));
        Assert.Contains("Error: Disposables of dvm could not be started: no support\n", Error, StringComparison.Ordinal);
        Assert.Equal(2, Calls(Asked).Count());
    }
}
