using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using static Qubes.Model.Tests.TestSystem;

namespace Qubes.Model.Tests.Classes;

public sealed class CollectionTests
{
    private readonly TestSystem _system = new();

    [Fact]
    public void Dom0_comes_first_then_names_by_bytes()
    {
        _system.AppVM("work");
        _system.AppVM("Zebra");
        _system.AppVM("a");
        Assert.Equal(["dom0", "Zebra", "a", "fedora", "work"], _system.App.Domains.Select(q => q.Name.Value));
    }

    [Fact]
    public void A_qube_is_found_by_name_number_and_uuid()
    {
        AppVM work = _system.AppVM("work");
        Assert.Same(work, _system.App.Domains["work"]);
        Assert.True(_system.App.Domains.TryGet(work.Qid, out Qube? byQid));
        Assert.True(_system.App.Domains.TryGet(work.Uuid, out Qube? byUuid));
        Assert.Same(work, byQid);
        Assert.Same(work, byUuid);
        Assert.Equal("No such domain: '2'", Assert.Throws<QubesException>(() => _system.App.Domains["2"]).Message);
    }

    [Fact]
    public void The_lowest_free_number_is_taken()
    {
        AppVM two = _system.AppVM("two");
        AppVM three = _system.AppVM("three");
        Assert.Equal((2, 3), (two.Qid, three.Qid));
        _system.App.Domains.Remove(two);
        Assert.Equal(2, _system.AppVM("again").Qid);
        _system.App.Domains.Reserve("hidden", 4);
        Assert.Equal(5, _system.AppVM("more").Qid);
        Assert.Throws<QubesException>(() => _system.AppVM("hidden"));
    }

    [Fact]
    public void A_taken_name_is_refused()
    {
        _system.AppVM("work");
        QubesException error = Assert.Throws<QubesException>(() => _system.AppVM("work"));
        Assert.Equal(("QubesVMAlreadyExistsError", "Qube already exists: work"), (error.WireName, error.Message));
    }

    [Fact]
    public void Without_any_template_a_qube_that_needs_one_is_refused()
    {
        Reset(_system.App, "default_template");
        Assert.Equal(
            "Template for the qube not specified, nor default template set.", Assert.Throws<QubesException>(() => _system.AppVM("work")).Message);
    }

    [Fact]
    public void A_new_qube_is_announced_and_given_its_class_s_volumes()
    {
        AppVM work = (AppVM)_system.App.Domains.Create(new NewQube
        {
            Class = QubeClasses.AppVM,
            Name = QubeName.Parse("work"),
            Label = _system.App.Labels.Find("blue"),
        });
        Assert.Equal(["domain-add"], _system.Seen);
        Assert.Equal("vm=work", _system.Keywords("domain-add"));
        Assert.Equal(["root", "private", "volatile", "kernel"], work.Volumes.All.Select(v => v.Name));
        Assert.True(work.Volumes.All[0].SourceFromTemplate);
    }

    [Fact]
    public void A_handler_that_fails_on_creation_leaves_no_qube()
    {
        _system.App.Events.On(EmitterClass.Qubes, "domain-add", _ => throw QubesErrors.General("no"));
        Assert.Throws<QubesException>(() => _system.AppVM("work"));
        Assert.False(_system.App.Domains.TryGet("work", out _));
        Assert.Empty(_system.Seen);
    }

    [Fact]
    public void When_updates_are_not_checked_new_qubes_say_so()
    {
        Set(_system.App, "check_updates_vm", "False");
        Assert.Equal("", _system.AppVM("work").Features.Get("check-updates"));
    }

    [Theory]
    [InlineData("template")]
    [InlineData("netvm")]
    [InlineData("guivm")]
    [InlineData("audiovm")]
    [InlineData("default_dispvm")]
    public void A_qube_another_one_refers_to_explicitly_is_not_removed(string property)
    {
        AppVM work = _system.AppVM("work");
        Qube used = property == "template" ? _system.Template : _system.NetVM("used");
        if (property == "default_dispvm")
        {
            Set(used, "template_for_dispvms", "True");
        }

        Set(work, property, used.Name);
        QubesException error = Assert.Throws<QubesException>(() => _system.App.Domains.CheckRemovable(used));
        Assert.Equal("QubesVMInUseError", error.WireName);
        Assert.Equal($"Domain is in use: '{used.Name}';  see 'journalctl -u qubesd -e' in dom0 for details", error.Message);
        Assert.Contains($"work:{property}", QubeDependencies.FindReferences(used));
    }

    [Fact]
    public void A_global_reference_blocks_removal()
    {
        AppVM clock = _system.AppVM("clock");
        Set(_system.App, "clockvm", "clock");
        Assert.Contains("@GLOBAL:clockvm", QubeDependencies.FindReferences(clock));
        Assert.Throws<QubesException>(() => _system.App.Domains.CheckRemovable(clock));
    }

    [Fact]
    public void A_qube_with_devices_at_others_is_not_removed()
    {
        AppVM usb = _system.AppVM("sys-usb");
        AppVM work = _system.AppVM("work");
        work.Devices.Add(new DeviceAssignment { DeviceClass = "block", Backend = "sys-usb", Port = "sda", DeviceId = "*", Mode = "required" });
        Assert.Equal(
            "VM has devices assigned to other VMs: sda", Assert.Throws<QubesException>(() => _system.App.Domains.CheckRemovable(usb)).Message);
    }

    [Fact]
    public void A_running_qube_is_not_removed()
    {
        AppVM work = _system.AppVM("work");
        work.Runtime.State = PowerState.Paused;
        Assert.Equal("QubesVMNotHaltedError", Assert.Throws<QubesException>(() => _system.App.Domains.CheckRemovable(work)).WireName);
    }

    [Fact]
    public void Removal_is_announced_before_and_after()
    {
        AppVM work = _system.AppVM("work");
        _system.App.Domains.CheckRemovable(work);
        _system.App.Domains.Remove(work);
        Assert.Equal(["domain-pre-delete", "domain-delete"], _system.Seen);
        _system.Seen.Clear();
        work.Fire("domain-remove-from-disk");
        Assert.Empty(_system.Seen);
    }

    [Fact]
    public void The_template_changes_only_while_halted_and_snapshots_follow()
    {
        TemplateVM other = (TemplateVM)_system.Create(QubeClasses.TemplateVM, "debian");
        AppVM work = _system.AppVM("work");
        work.Volumes.Set(work.Volumes.All[0] with { Source = "vm-templates/fedora/root", SourceFromTemplate = false });
        work.Runtime.State = PowerState.Running;
        Assert.Equal("Cannot change template while qube is running", Assert.Throws<QubesException>(() => Set(work, "template", "debian")).Message);
        work.Runtime.State = PowerState.Halted;
        Set(work, "template", "debian");
        Assert.Same(other, work.Template);
        Assert.True(work.Volumes.All[0].SourceFromTemplate);
        Assert.Null(work.Volumes.All[0].Source);
        Assert.Equal(
            "Cannot unset template. You can set it to the current default (fedora) instead",
            Assert.Throws<QubesException>(() => Reset(work, "template")).Message);
    }

    [Fact]
    public void A_disposable_template_in_use_stays_one()
    {
        AppVM dvm = _system.AppVM("dvm");
        Set(dvm, "template_for_dispvms", "True");
        Set(_system.App, "default_dispvm", "dvm");
        Assert.Equal("QubesVMInUseError", Assert.Throws<QubesException>(() => Set(dvm, "template_for_dispvms", "False")).WireName);
        Assert.Equal("QubesVMInUseError", Assert.Throws<QubesException>(() => Reset(dvm, "template_for_dispvms")).WireName);
        Set(_system.App, "default_dispvm", "");
        Set(dvm, "template_for_dispvms", "False");
    }

    [Fact]
    public void Maxmem_of_a_running_qube_answers_with_an_error()
    {
        AppVM work = _system.AppVM("work");
        work.Runtime.State = PowerState.Running;
        Assert.Equal("QubesVMNotHaltedError", Assert.Throws<QubesException>(() => Set(work, "maxmem", "99")).WireName);
    }
}
