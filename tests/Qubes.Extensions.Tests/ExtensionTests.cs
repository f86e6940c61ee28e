using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Host;
using Qubes.Model.Labels;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Store;

namespace Qubes.Extensions.Tests;

public sealed class ExtensionTests : IEventObserver
{
    private readonly QubesApp _app = new(new FixedHostFacts());
    private readonly List<string> _seen = [];
    private readonly AppVM _work;
    private readonly AppVM _gui;

    public ExtensionTests()
    {
        BuiltInExtensions.Register(_app);
        foreach (Label label in LabelSet.BuiltIn)
        {
            _app.Labels.Load(label);
        }

        _app.Domains.Load(QubeClasses.AdminVM, default);
        _app.FinishLoading();
        QubesAppProperties.DefaultTemplate.Set(_app, (TemplateVM)Create(QubeClasses.TemplateVM, "fedora"));
        _work = (AppVM)Create(QubeClasses.AppVM, "work");
        _gui = (AppVM)Create(QubeClasses.AppVM, "sys-gui");
        _app.Events.AddObserver(this);
    }

    void IEventObserver.OnEvent(QubesEvent qubesEvent) => _seen.Add($"{qubesEvent.Subject.SubjectText} {qubesEvent.Name}".TrimStart());

    [Fact]
    public void A_qube_that_provides_network_is_a_service_qube_as_long_as_it_does()
    {
        Model.Network.NetworkProperties.ProvidesNetwork.Set(_work, true);
        Assert.Equal(
            [
                "work property-pre-set:provides_network", "work domain-feature-pre-set:servicevm", "work domain-feature-set:servicevm",
                "work property-reset:icon", "work property-reset:gateway", "work property-reset:gateway6", "work property-set:provides_network",
            ],
            _seen);
        Assert.Equal("servicevm-red", _work.Icon);
        Model.Network.NetworkProperties.ProvidesNetwork.Reset(_work);
        Assert.False(_work.Features.Contains("servicevm"));
    }

    [Theory]
    [InlineData("service.", "", "Service name cannot be empty")]
    [InlineData("service..", "", "Service name cannot be \".\" or \"..\"")]
    [InlineData("service.a/b", "", "Service name cannot contain a slash")]
    [InlineData("service.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", "Service name must not exceed 48 bytes")]
    [InlineData("vm-config.", "", "Empty config name not allowed")]
    [InlineData("vm-config.1a", "", "Config name must start with an ASCII letter")]
    [InlineData("vm-config.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", "VM config name must not exceed 52 bytes")]
    [InlineData("custom-persist.", "/a", "custom-persist key must have 1 to 54 characters")]
    [InlineData("custom-persist.a", "a", "custom-persist value must be an absolute path or TYPE:OWNER:GROUP:MODE:PATH")]
    [InlineData("custom-persist.a", "file:u:g:888:/a", "custom-persist value must be an absolute path or TYPE:OWNER:GROUP:MODE:PATH")]
    public void Features_the_system_could_not_use_are_refused_and_not_kept(string feature, string value, string reason)
    {
        QubesException error = Assert.Throws<QubesException>(() => _work.Features.Set(feature, value));
        Assert.Equal(("QubesValueError", reason), (error.WireName, error.Message));
        Assert.False(_work.Features.Contains(feature));
    }

    [Theory]
    [InlineData("service.crond", "1")]
    [InlineData("service.app-dispvm.a-name-that-is-longer-than-forty-eight-characters", "1")]
    [InlineData("vm-config.colour", "blue")]
    [InlineData("custom-persist.a", "/home/user/x:y")]
    [InlineData("custom-persist.a", "dir:user:user:0755:/home/user/x:y")]
    public void Features_in_order_are_kept(string feature, string value)
    {
        _work.Features.Set(feature, value);
        Assert.Equal(value, _work.Features.Get(feature));
    }

    [Fact]
    public void The_old_meminfo_writer_service_becomes_maxmem()
    {
        _work.Features.Set("service.meminfo-writer", "");
        Assert.False(_work.Features.Contains("service.meminfo-writer"));
        Assert.True(MemoryProperties.MaxMem.IsExplicit(_work));
        Assert.Equal(0, _work.MaxMem);
        _work.Features.Set("service.meminfo-writer", "1");
        Assert.False(MemoryProperties.MaxMem.IsExplicit(_work));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("1", false)]
    public void In_an_old_store_the_meminfo_writer_service_becomes_maxmem(string value, bool isOff)
    {
        QubesApp app = new(new FixedHostFacts());
        BuiltInExtensions.Register(app);
        QubesStore.Rewrite(
            app,
            Encoding.UTF8.GetBytes(
                $"""
                <qubes><labels><label id="label-1" color="0xcc0000">red</label></labels><pools/><properties/><domains>
                <domain class="StandaloneVM"><properties><property name="name">work</property><property name="qid">1</property>
                <property name="label">red</property></properties><features><feature name="service.meminfo-writer">{value}</feature></features></domain>
                </domains></qubes>
                """),
            NullLogger.Instance);
        app.FinishLoading();
        QubesVM work = (QubesVM)app.Domains["work"];
        Assert.False(work.Features.Contains("service.meminfo-writer"));
        Assert.Equal(isOff, MemoryProperties.MaxMem.IsExplicit(work));
        Assert.True(!isOff || work.MaxMem == 0);
    }

    [Fact]
    public void Each_qube_has_the_tags_of_the_qubes_that_serve_it()
    {
        Assert.Equal(["audiovm-dom0", "guivm-dom0"], _work.Tags.All);
        QubesVMProperties.GuiVM.Set(_work, null);
        Assert.Equal(
            ["work property-pre-set:guivm", "work domain-tag-delete:guivm-dom0", "work property-set:guivm"], _seen);
        QubesVMProperties.GuiVM.Set(_work, _gui);
        Assert.Equal(["audiovm-dom0", "guivm-sys-gui"], _work.Tags.All);
        QubesVMProperties.GuiVM.Reset(_work);
        Assert.Equal(["audiovm-dom0", "guivm-dom0"], _work.Tags.All);
    }

    [Fact]
    public void A_new_default_guivm_retags_those_that_follow_it()
    {
        QubesAppProperties.DefaultGuiVM.Set(_app, _gui);
        Assert.Contains("guivm-sys-gui", _work.Tags.All);
        QubesAppProperties.DefaultGuiVM.Reset(_app);
        Assert.Contains("guivm-dom0", _work.Tags.All);
    }

    [Fact]
    public async Task A_guivm_in_use_is_shut_down_only_by_force()
    {
        QubesVMProperties.GuiVM.Set(_work, _gui);
        await _gui.FirePreAsync("domain-pre-shutdown", EventArguments.Of("force", false));
        _work.Runtime.State = PowerState.Running;
        QubesException error = await Assert.ThrowsAsync<QubesException>(
            () => _gui.FirePreAsync("domain-pre-shutdown", EventArguments.Of("force", false)));
        Assert.Equal("There are running VMs using this VM as GuiVM: work", error.Message);
        await _gui.FirePreAsync("domain-pre-shutdown", EventArguments.Of("force", true));
    }

    [Fact]
    public async Task A_qube_being_restored_does_not_start()
    {
        _work.Tags.Add(TagName.Parse("backup-restore-in-progress"));
        QubesException error = await Assert.ThrowsAsync<QubesException>(() => _work.FirePreAsync("domain-pre-start"));
        Assert.Equal("Restore of this domain in progress, cannot start", error.Message);
    }

    [Fact]
    public void A_guivm_s_keyboard_layout_is_announced_to_its_qubes()
    {
        QubesVMProperties.GuiVM.Set(_work, _gui);
        _seen.Clear();
        QubesVMProperties.KeyboardLayout.Set(_gui, "de++");
        Assert.Contains("work property-reset:keyboard_layout", _seen);
    }

    private Qube Create(QubeClass qubeClass, string name) => _app.Domains.Create(new NewQube
    {
        Class = qubeClass,
        Name = QubeName.Parse(name),
        Label = _app.Labels.Find("red"),
    });
}
