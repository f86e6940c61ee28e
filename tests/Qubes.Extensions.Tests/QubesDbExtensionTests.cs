using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Model.Network;
using Qubes.Model.QubesDb;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.QubesDb;

namespace Qubes.Extensions.Tests;

/// <summary>What the built-in extensions write into the QubesDB of qubes.</summary>
public sealed class QubesDbExtensionTests
{
    private readonly QubesApp _app = new(new FixedHostFacts());
    private readonly TemplateVM _template;
    private readonly AppVM _work;
    private readonly AppVM _gui;

    public QubesDbExtensionTests()
    {
        BuiltInExtensions.Register(_app);
        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Domains.Load(QubeClasses.AdminVM, default);
        _app.FinishLoading();
        _template = (TemplateVM)Create(QubeClasses.TemplateVM, "fedora");
        QubesAppProperties.DefaultTemplate.Set(_app, _template);
        _work = (AppVM)Create(QubeClasses.AppVM, "work");
        _gui = (AppVM)Create(QubeClasses.AppVM, "sys-gui");
    }

    [Fact]
    public async Task A_start_fills_in_what_the_features_say()
    {
        MemoryProperties.MaxMem.Set(_work, 4000);
        _work.Features.Set("service.crond", "1");
        _work.Features.Set("service.cups", "");
        _work.Features.Set("service.app-dispvm.short-name", "1");
        _work.Features.Set("service.app-dispvm." + new string('x', 60), "");
        _work.Features.Set("vm-config.colour", "blue");
        _work.Features.Set("custom-persist.home", "/home/user/x:y");
        _work.Features.Set("check-updates", "");
        _work.Features.Set("updates-proxy-setup", "yes");
        _template.Features.Set("gui-videoram-min", "100");
        _app.Domains.AdminVM.Features.Set("gui-videoram-overhead", "7");
        Start(_work, xid: 3);
        Assert.Equal(
            [
                "/hash-app-dispvm/uRc_3Q51DYlZXclkZX_BN2iYvUkKh8qXRxkqvvGAwEI=short-name", "/keyboard-layout=us++", "/persist/home=/home/user/x:y",
                "/qubes-audio-domain-xid=0", "/qubes-gui-domain-xid=0", "/qubes-gui-enabled=True", "/qubes-gui-videoram-min=100",
                "/qubes-gui-videoram-overhead=7", "/qubes-iptables-error=", "/qubes-service/app-dispvm.short-name=1",
                "/qubes-service/crond=1", "/qubes-service/cups=0", "/qubes-service/meminfo-writer=1", "/qubes-service/qubes-update-check=0",
                "/qubes-service/yum-proxy-setup=1", "/qubes-vm-type=AppVM", "/vm-config/colour=blue",
            ],
            await EntriesAsync(_work));
    }

    [Fact]
    public async Task Features_of_a_running_qube_reach_it_at_once_and_leave_it_again()
    {
        Start(_work, xid: 3);
        _work.Features.Set("service.crond", "yes");
        _work.Features.Set("vm-config.a", "1");
        _work.Features.Set("custom-persist.a", "/x");
        _work.Features.Set("service.app-dispvm.short-name", "1");
        Assert.Equal("1", await ReadAsync(_work, "/qubes-service/crond"));
        Assert.Equal("1", await ReadAsync(_work, "/vm-config/a"));
        Assert.Equal("/x", await ReadAsync(_work, "/persist/a"));
        Assert.Equal("short-name", await ReadAsync(_work, "/hash-app-dispvm/uRc_3Q51DYlZXclkZX_BN2iYvUkKh8qXRxkqvvGAwEI"));
        _work.Features.Set("service.crond", "");
        Assert.Equal("0", await ReadAsync(_work, "/qubes-service/crond"));
        foreach (string feature in (string[])["service.crond", "vm-config.a", "custom-persist.a", "service.app-dispvm.short-name"])
        {
            _work.Features.Remove(feature);
        }

        Assert.DoesNotContain(await EntriesAsync(_work), e => e.StartsWith("/qubes-service/crond", StringComparison.Ordinal)
            || e.StartsWith("/vm-config/", StringComparison.Ordinal) || e.StartsWith("/persist/", StringComparison.Ordinal)
            || e.StartsWith("/hash-app-dispvm/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_change_that_does_not_hold_reaches_no_qube()
    {
        Start(_work, xid: 3);
        using (_app.Changes.Begin(new Model.Changes.ChangeOrigin("dom0", "test", DateTimeOffset.UnixEpoch)))
        {
            _work.Features.Set("service.crond", "1");
        }

        Assert.Null(await ReadAsync(_work, "/qubes-service/crond"));
        Assert.False(_work.Features.Contains("service.crond"));
    }

    [Fact]
    public async Task Memory_balancing_is_told_as_it_is()
    {
        MemoryProperties.MaxMem.Set(_work, 0);
        Start(_work, xid: 3);
        Assert.Equal("0", await ReadAsync(_work, "/qubes-service/meminfo-writer"));
        _work.Features.Set("service.meminfo-writer", "1");
        Assert.False(_work.Features.Contains("service.meminfo-writer"));
        Assert.NotNull(await ReadAsync(_work, "/qubes-service/meminfo-writer"));
    }

    [Fact]
    public async Task The_old_names_of_classes_are_told()
    {
        Start(_template, xid: 4);
        Assert.Equal("TemplateVM", await ReadAsync(_template, "/qubes-vm-type"));
        NetworkProperties.ProvidesNetwork.Set(_gui, true);
        Start(_gui, xid: 5);
        Assert.Equal("NetVM", await ReadAsync(_gui, "/qubes-vm-type"));
        NetworkProperties.ProvidesNetwork.Set(_work, true);
        NetworkProperties.NetVM.Set(_work, _gui);
        Start(_work, xid: 6);
        Assert.Equal("ProxyVM", await ReadAsync(_work, "/qubes-vm-type"));
    }

    [Fact]
    public async Task A_qube_without_guivm_has_no_gui_and_one_that_is_off_says_so()
    {
        QubesVMProperties.GuiVM.Set(_work, null);
        QubesVMProperties.AudioVM.Set(_work, null);
        Start(_work, xid: 3);
        Assert.Equal("False", await ReadAsync(_work, "/qubes-gui-enabled"));
        Assert.Null(await ReadAsync(_work, "/qubes-gui-domain-xid"));
        Assert.Null(await ReadAsync(_work, "/keyboard-layout"));
        Assert.Null(await ReadAsync(_work, "/qubes-audio-domain-xid"));
        _gui.Features.Set("gui", "");
        _gui.Features.Set("service.guivm", "1");
        Start(_gui, xid: 4);
        Assert.Equal("False", await ReadAsync(_gui, "/qubes-gui-enabled"));
        Assert.Equal("GuiVM", await ReadAsync(_gui, "/guivm-windows-prefix"));
    }

    [Fact]
    public async Task Qubes_that_started_before_their_guivm_and_audiovm_learn_where_these_are()
    {
        QubesVMProperties.GuiVM.Set(_work, _gui);
        QubesVMProperties.AudioVM.Set(_work, _gui);
        Start(_work, xid: 3);
        Assert.Null(await ReadAsync(_work, "/qubes-gui-domain-xid"));
        Assert.Null(await ReadAsync(_work, "/qubes-audio-domain-xid"));
        Start(_gui, xid: 9);
        await _gui.FireAsync("domain-start", EventArguments.Of("start_guid", true));
        Assert.Equal("9", await ReadAsync(_work, "/qubes-gui-domain-xid"));
        Assert.Equal("9", await ReadAsync(_work, "/qubes-audio-domain-xid"));
        Assert.Equal("True", await ReadAsync(_work, "/qubes-gui-enabled"));
    }

    [Fact]
    public async Task A_new_audiovm_is_told_while_the_qube_runs()
    {
        Start(_work, xid: 3);
        Start(_gui, xid: 9);
        QubesVMProperties.AudioVM.Set(_work, _gui);
        Assert.Equal("9", await ReadAsync(_work, "/qubes-audio-domain-xid"));
        QubesVMProperties.AudioVM.Set(_work, null);
        Assert.Null(await ReadAsync(_work, "/qubes-audio-domain-xid"));
        QubesAppProperties.DefaultAudioVM.Set(_app, _gui);
        QubesVMProperties.AudioVM.Reset(_work);
        Assert.Equal("9", await ReadAsync(_work, "/qubes-audio-domain-xid"));
    }

    [Fact]
    public async Task The_keyboard_layout_of_a_guivm_reaches_its_running_qubes()
    {
        QubesVMProperties.GuiVM.Set(_work, _gui);
        Start(_gui, xid: 9);
        Start(_work, xid: 3);
        QubesVMProperties.KeyboardLayout.Set(_gui, "de++");
        Assert.Equal("de++", await ReadAsync(_gui, "/keyboard-layout"));
        Assert.Equal("de++", await ReadAsync(_work, "/keyboard-layout"));
        QubesVMProperties.KeyboardLayout.Set(_work, "fr++");
        Assert.Equal("fr++", await ReadAsync(_work, "/keyboard-layout"));
        QubesVMProperties.KeyboardLayout.Reset(_work);
        Assert.Equal("de++", await ReadAsync(_work, "/keyboard-layout"));
    }

    [Fact]
    public void A_stored_feature_that_cannot_be_a_persistent_path_fails_the_start()
    {
        _work.Features.Load("custom-persist.bad", "not a path");
        Assert.Throws<QubesException>(() => Start(_work, xid: 3));
    }

    [Fact]
    public async Task Stored_names_that_fit_no_key_are_left_out()
    {
        _work.Features.Load("service.a/b", "1");
        _work.Features.Load("service..", "1");
        _work.Features.Load("service." + new string('x', 49), "1");
        _work.Features.Load("vm-config.1", "1");
        Start(_work, xid: 3);
        Assert.DoesNotContain(await EntriesAsync(_work), e => e.Contains("a/b", StringComparison.Ordinal) || e.Contains("xxx", StringComparison.Ordinal)
            || e.Contains("vm-config", StringComparison.Ordinal));
    }

    private static void Start(QubesVM qube, int xid)
    {
        qube.QubesDb.Attach(new MemoryQubesDb(qube.QubesDb.TellChange));
        qube.Runtime.State = PowerState.Running;
        qube.Runtime.Xid = xid;
        qube.Fire("domain-qdb-create");
    }

    private static async Task<string?> ReadAsync(LocalQube qube, string path) =>
        await qube.QubesDb.ReadUntrustedAsync(path) is { } value ? System.Text.Encoding.UTF8.GetString(value) : null;

    private static async Task<string[]> EntriesAsync(LocalQube qube)
    {
        IReadOnlyList<QubesDbEntry> entries = await qube.QubesDb.ReadAllUntrustedAsync("/");
        return [.. entries.Select(e => $"{e.Path}={System.Text.Encoding.UTF8.GetString(e.Value)}")];
    }

    private Qube Create(QubeClass qubeClass, string name) => _app.Domains.Create(new NewQube
    {
        Class = qubeClass,
        Name = QubeName.Parse(name),
        Label = _app.Labels.Find("red"),
    });
}
