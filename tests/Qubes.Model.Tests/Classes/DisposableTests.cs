using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Network;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Testing;

namespace Qubes.Model.Tests.Classes;

public sealed class DisposableTests
{
    private readonly ManualTime _time = new();
    private readonly TestSystem _system;
    private readonly AppVM _template;

    public DisposableTests()
    {
        _system = new TestSystem(time: _time);
        _template = _system.DisposableTemplate("dvm");
    }

    [Fact]
    public void A_disposable_begins_with_the_defaults_of_its_class()
    {
        DispVM disposable = _system.Disposable("disp1", _template);
        Assert.Equal("default=False type=vm dvm", TestSystem.Read(disposable, "template"));
        Assert.Equal("default=True type=bool False", TestSystem.Read(disposable, "auto_cleanup"));
        Assert.Equal("default=True type=bool False", TestSystem.Read(disposable, "is_preload"));
        Assert.Equal("default=True type=vm dvm", TestSystem.Read(disposable, "default_dispvm"));
        Assert.Equal("default=True type=bool True", TestSystem.Read(disposable, "include_in_backups"));
        Assert.Equal("default=True type=str dispvm-red", TestSystem.Read(disposable, "icon"));
        Assert.Equal("default=True type=bool False", TestSystem.Read(disposable, "updateable"));
    }

    [Fact]
    public void One_that_cleans_itself_up_is_not_backed_up()
    {
        DispVM disposable = _system.Disposable("disp1", _template, (DispVMProperties.AutoCleanup, true));
        Assert.Equal("default=True type=bool False", TestSystem.Read(disposable, "include_in_backups"));
    }

    [Theory]
    [InlineData(0, "10.138.0.0")]
    [InlineData(254, "10.138.0.254")]
    [InlineData(508, "10.138.1.254")]
    [InlineData(9999, "10.138.39.93")]
    public void Its_address_is_made_of_its_number(int dispid, string address)
    {
        AppVM net = _system.NetVM("net");
        DispVM disposable = _system.Disposable("d", _template, (DispVMProperties.DispId, dispid));
        NetworkProperties.NetVM.Set(disposable, net);
        Assert.Equal($"default=True type=str {address}", TestSystem.Read(disposable, "ip"));
        net.Features.Set("ipv6", "1");
        Assert.EndsWith(dispid == 0 ? "a8a:0" : $"a8a:{dispid:x}", TestSystem.Read(disposable, "ip6"), StringComparison.Ordinal);
    }

    [Fact]
    public void Explicit_properties_are_copied_where_the_disposable_has_none()
    {
        TestSystem.Set(_template, "memory", "321");
        TestSystem.Set(_template, "label", "blue");
        TestSystem.Set(_template, "netvm", "");
        DispVM disposable = _system.Disposable("disp1", _template, (MemoryProperties.VCpus, 3));
        Assert.Equal("default=False type=int 321", TestSystem.Read(disposable, "memory"));
        Assert.Equal("default=False type=vm ", TestSystem.Read(disposable, "netvm"));
        Assert.Equal("default=False type=int 3", TestSystem.Read(disposable, "vcpus"));

        // It was created with a label of its own.
        Assert.Equal("default=False type=label red", TestSystem.Read(disposable, "label"));
        Assert.NotEqual(_template.Uuid, disposable.Uuid);
        Assert.NotEqual(_template.Qid, disposable.Qid);
    }

    [Fact]
    public void Defaults_follow_the_chain_of_templates()
    {
        TestSystem.Set(_system.Template, "qrexec_timeout", "77");
        Assert.Equal("default=True type=int 77", TestSystem.Read(_system.Disposable("disp1", _template), "qrexec_timeout"));
    }

    [Fact]
    public void Features_are_copied_but_those_of_preloading()
    {
        _template.Features.Load("preload-dispvm-max", "2");
        _template.Features.Load("preload-dispvm", "");
        _template.Features.Set("gui", "1");
        _template.Features.Set("service.x", "");
        DispVM disposable = _system.Disposable("disp1", _template);
        Assert.Equal([new("gui", "1"), new("service.x", "")], disposable.Features.All);
    }

    [Fact]
    public void Tags_are_copied_but_not_who_created_the_template()
    {
        _template.Tags.Add(TagName.Parse("anon-vm"));
        _template.Tags.Add(TagName.Parse("created-by-mgmt"));
        _template.Tags.Add(TagName.Parse("disp-created-by-mgmt"));
        Assert.Equal(["anon-vm"], _system.Disposable("disp1", _template).Tags.All);
    }

    [Fact]
    public void Nothing_of_a_disposable_is_kept_and_its_volumes_lie_where_the_templates_do()
    {
        Assert.True(_template.Volumes.TryGet("volatile", out VolumeConfig? config));
        _template.Volumes.Set(config with { Pool = "fast", Vid = "x", Ephemeral = true });
        _template.Volumes.Set(new VolumeConfig { Name = "extra", Pool = "fast", Vid = "appvms/dvm/extra", Size = 5 });
        DispVM disposable = _system.Disposable("disp1", _template);
        Assert.Equal(["root", "private", "volatile", "kernel", "extra"], disposable.Volumes.All.Select(v => v.Name));
        Assert.All(disposable.Volumes.All.Where(v => v.Name != "extra"), v => Assert.False(v.SaveOnStop));
        Assert.All(disposable.Volumes.All.Take(2), v => Assert.True(v is { SnapOnStart: true, SourceFromTemplate: true, Rw: true }));
        Assert.True(disposable.Volumes.TryGet("volatile", out VolumeConfig? own));
        Assert.Equal(("fast", 12L << 30, true, null), (own.Pool, own.Size, own.Ephemeral, own.Vid));
        Assert.Null(disposable.Volumes.All[^1].Vid);
    }

    [Fact]
    public void Without_a_template_the_systems_default_is_taken()
    {
        QubesException none = Assert.Throws<QubesException>(() => _system.Disposable("disp1", null!));
        Assert.Equal(("QubesValueError", "Template for the qube not specified, nor default template set."), (none.WireName, none.Message));
        QubesAppProperties.DefaultDispVM.Set(_system.App, _template);
        Assert.Equal(_template, _system.Disposable("disp1", null!).Template);
    }

    [Fact]
    public void A_qube_that_is_no_template_for_disposables_is_refused()
    {
        string before = string.Join(' ', _system.App.Domains.Select(q => q.Name));
        Assert.Equal(QubesErrorNames.Value, Assert.Throws<QubesException>(() => _system.Disposable("disp1", _system.AppVM("work"))).WireName);
        Assert.Equal(before + " work", string.Join(' ', _system.App.Domains.Select(q => q.Name)));
        Assert.Equal(QubesErrorNames.Value, Assert.Throws<QubesException>(() => _system.Disposable("disp1", _system.Template)).WireName);
    }

    [Fact]
    public void Its_template_can_be_changed_to_another_template_for_disposables_while_it_is_halted()
    {
        DispVM disposable = _system.Disposable("disp1", _template);
        AppVM other = _system.DisposableTemplate("other");
        TestSystem.Set(disposable, "template", "other");
        Assert.Equal(other, disposable.Template);
        Assert.Equal(QubesErrorNames.PropertyValue,
            Assert.Throws<QubesException>(() => TestSystem.Set(disposable, "template", "fedora")).WireName);
        Assert.Equal("Cannot unset template", Assert.Throws<QubesException>(() => TestSystem.Reset(disposable, "template")).Message);
        disposable.Runtime.State = PowerState.Running;
        Assert.Equal(QubesErrorNames.VMNotHalted,
            Assert.Throws<QubesException>(() => TestSystem.Set(disposable, "template", "dvm")).WireName);
        Assert.Equal(other, disposable.Template);
    }

    [Fact]
    public void Snapshots_follow_a_change_of_template_up_the_chain()
    {
        DispVM disposable = _system.Disposable("disp1", _template);
        Assert.True(disposable.Volumes.TryGet("root", out VolumeConfig? root));
        disposable.Volumes.Set(root with { Source = "vm-templates/fedora/root" });
        Qube debian = _system.Create(QubeClasses.TemplateVM, "debian");
        AppVMProperties.Template.Set(_template, (TemplateVM)debian);
        Assert.True(disposable.Volumes.TryGet("root", out VolumeConfig? moved));
        Assert.Null(moved.Source);
    }

    [Fact]
    public void The_template_of_running_disposables_keeps_its_own()
    {
        DispVM disposable = _system.Disposable("disp1", _template);
        TemplateVM debian = (TemplateVM)_system.Create(QubeClasses.TemplateVM, "debian");
        disposable.Runtime.State = PowerState.Running;
        Assert.Equal(QubesErrorNames.VMInUse, Assert.Throws<QubesException>(() => AppVMProperties.Template.Set(_template, debian)).WireName);
        disposable.PreloadRequested = true;
        AppVMProperties.Template.Set(_template, debian);
    }

    [Fact]
    public void The_number_is_fixed_and_within_its_range()
    {
        DispVM disposable = _system.Disposable("disp1", _template);
        Assert.InRange(disposable.DispId, 0, 9999);
        Assert.Throws<QubesException>(() => TestSystem.Set(disposable, "dispid", "5"));
        Assert.Throws<QubesException>(() => TestSystem.Reset(disposable, "dispid"));
        Assert.Throws<QubesException>(() => TestSystem.Set(disposable, "is_preload", "True"));
        Assert.Throws<QubesException>(() => _system.Disposable("d", _template, (DispVMProperties.DispId, 10000)));
    }

    [Fact]
    public void A_number_rests_for_a_week_after_its_disposable_is_gone()
    {
        // All names but two are taken: what is given out can only be one of them.
        for (int i = 0; i < DispIdAllocator.Count; i++)
        {
            if (i is not (42 or 43))
            {
                _system.App.Domains.Reserve(DispIdAllocator.NameOf(i), qid: null);
            }
        }

        int first = _system.App.DispIds.Next();
        DispVM disposable = _system.Disposable(DispIdAllocator.NameOf(first), _template, (DispVMProperties.DispId, first));
        int second = _system.App.DispIds.Next();
        Assert.Equal([42, 43], new[] { first, second }.Order());
        _system.App.Domains.Remove(disposable);
        Assert.Equal(second, _system.App.DispIds.Next());
        _ = _system.Disposable(DispIdAllocator.NameOf(second), _template, (DispVMProperties.DispId, second));
        Assert.Throws<QubesException>(() => _system.App.DispIds.Next());
        _time.SetClock(TimeSpan.FromDays(365));
        Assert.Throws<QubesException>(() => _system.App.DispIds.Next());
        _time.SetClock(TimeSpan.FromDays(-3650));
        _time.Advance(TimeSpan.FromDays(7));
        Assert.Equal(first, _system.App.DispIds.Next());
    }

    [Fact]
    public void A_removal_that_is_taken_back_frees_no_number()
    {
        DispVM disposable = _system.Disposable("disp7", _template, (DispVMProperties.DispId, 7));
        using (ModelChange change = _system.App.Changes.Begin(new ChangeOrigin("dom0", "test", default)))
        {
            _system.App.Domains.Remove(disposable);
        }

        Assert.True(disposable.IsInCollection);
        Assert.Equal(7, disposable.DispId);
    }

    [Fact]
    public void A_template_of_disposables_is_in_use()
    {
        _ = _system.Disposable("disp1", _template);
        Assert.Equal(QubesErrorNames.VMInUse, Assert.Throws<QubesException>(() => _system.App.Domains.CheckRemovable(_template)).WireName);
        Assert.Equal(QubesErrorNames.VMInUse,
            Assert.Throws<QubesException>(() => TestSystem.Set(_template, "template_for_dispvms", "False")).WireName);
    }

    [Fact]
    public void Disposables_that_only_wait_keep_nothing_from_their_template()
    {
        DispVM disposable = _system.Disposable("disp1", _template);
        disposable.PreloadRequested = true;
        _system.App.Domains.CheckRemovable(_template);
        TestSystem.Set(_template, "template_for_dispvms", "False");
    }

    [Fact]
    public void A_template_without_snapshots_does_not_start_under_a_running_disposable()
    {
        DispVM disposable = _system.Disposable("disp1", _template);
        Assert.True(_template.Volumes.TryGet("private", out VolumeConfig? config));
        _template.Volumes.Set(config with { RevisionsToKeep = -1 });
        _template.FirePre("domain-pre-start");
        disposable.Runtime.State = PowerState.Running;
        Assert.Equal(QubesErrorNames.VMNotHalted, Assert.Throws<QubesException>(() => _template.FirePre("domain-pre-start")).WireName);
    }
}
