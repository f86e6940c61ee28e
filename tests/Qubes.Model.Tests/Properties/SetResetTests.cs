using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;
using static Qubes.Model.Tests.TestSystem;

namespace Qubes.Model.Tests.Properties;

public sealed class SetResetTests
{
    private readonly TestSystem _system = new();

    [Fact]
    public void Set_fires_pre_and_post_event_with_old_and_new_value()
    {
        AppVM work = _system.AppVM("work");
        Set(work, "memory", "512");
        Assert.Equal(["work property-pre-set:memory", "work property-set:memory"], _system.Seen);
        Assert.Equal("name=memory newvalue=512 oldvalue=400", _system.Keywords("property-set:memory"));
        Assert.Equal("default=False type=int 512", Read(work, "memory"));
    }

    [Fact]
    public void Setting_an_equal_value_fires_both_events_again()
    {
        AppVM work = _system.AppVM("work");
        Set(work, "memory", "400");
        Set(work, "memory", "400");
        Assert.Equal(4, _system.Seen.Count);
        Assert.Equal("default=False type=int 400", Read(work, "memory"));
    }

    [Fact]
    public void A_property_without_value_has_no_old_value()
    {
        Set(_system.App, "default_kernel", "6.1");
        Assert.Equal("name=default_kernel newvalue=6.1", _system.Keywords("property-set:default_kernel"));
        Reset(_system.App, "default_kernel");
        Assert.Equal("name=default_kernel oldvalue=6.1", _system.Keywords("property-reset:default_kernel"));
        Assert.Equal("default=True type=str ", Read(_system.App, "default_kernel"));
        Assert.False(_system.App.Property("default_kernel").TryReadDefault(_system.App, out _));
    }

    [Fact]
    public void Reset_fires_four_events_even_if_default_already()
    {
        AppVM work = _system.AppVM("work");
        Reset(work, "debug");
        Assert.Equal(
            ["work property-pre-reset:debug", "work property-pre-del:debug", "work property-reset:debug", "work property-del:debug"], _system.Seen);
        Assert.Equal("name=debug oldvalue=False", _system.Keywords("property-reset:debug"));
    }

    [Fact]
    public void A_pre_event_can_refuse_and_then_nothing_changed()
    {
        AppVM work = _system.AppVM("work");
        _system.App.Events.On(EmitterClass.LocalVM, "property-pre-set:memory", _ => throw QubesErrors.Value("no"));
        Assert.Equal("no", Assert.Throws<QubesException>(() => Set(work, "memory", "512")).Message);
        Assert.Equal("default=True type=int 400", Read(work, "memory"));
        Assert.Equal(["work property-pre-set:memory"], _system.Seen);
    }

    [Fact]
    public void A_failing_post_event_takes_the_change_back()
    {
        AppVM work = _system.AppVM("work");
        Set(work, "memory", "300");
        _system.Seen.Clear();
        _system.App.Events.On(EmitterClass.LocalVM, "property-set:memory", _ => throw QubesErrors.Value("no"));
        Assert.Throws<QubesException>(() => Set(work, "memory", "512"));
        Assert.Equal("default=False type=int 300", Read(work, "memory"));
        Assert.Equal(["work property-pre-set:memory"], _system.Seen);
    }

    [Fact]
    public void What_handlers_did_is_taken_back_with_the_change_that_caused_it()
    {
        AppVM work = _system.AppVM("work");
        _system.App.Events.On(EmitterClass.LocalVM, "property-set:debug", e => ((Qube)e.Subject).Features.Set("seen", true));
        _system.App.Events.On(EmitterClass.AppVM, "property-set:debug", _ => throw QubesErrors.Value("no"));
        Assert.Throws<QubesException>(() => Set(work, "debug", "True"));
        Assert.False(work.Features.Contains("seen"));
        Assert.DoesNotContain("work domain-feature-set:seen", _system.Seen);
    }

    [Theory]
    [InlineData("name", "other")]
    [InlineData("qid", "77")]
    [InlineData("uuid", "12345678-1234-1234-1234-1234567890ab")]
    public void Write_once_properties_answer_with_an_error(string property, string value)
    {
        AppVM work = _system.AppVM("work");
        Assert.Equal("QubesNoSuchPropertyError", Assert.Throws<QubesException>(() => Set(work, property, value)).WireName);
        Assert.Equal("QubesNoSuchPropertyError", Assert.Throws<QubesException>(() => Reset(work, property)).WireName);
        Assert.StartsWith("default=False type=", Read(work, property), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("icon")]
    [InlineData("updateable")]
    [InlineData("xid")]
    public void Computed_properties_cannot_be_set_but_reset_is_harmless(string property)
    {
        AppVM work = _system.AppVM("work");
        Assert.Contains($"property '{property}' on AppVM instance cannot be set", ErrorOfSet(work, property, "1"), StringComparison.Ordinal);
        Reset(work, property);
        Assert.Equal("work property-pre-reset:" + property, _system.Seen[0]);
        Assert.StartsWith("default=True", Read(work, property), StringComparison.Ordinal);
    }

    [Fact]
    public void The_identity_of_dom0_is_fixed()
    {
        Assert.Equal("property 'qid' on AdminVM instance cannot be set", ErrorOfSet(_system.Dom0, "qid", "1"));
        Assert.Equal("default=True type=str dom0", Read(_system.Dom0, "name"));
        Assert.Equal("default=True type=str 00000000-0000-0000-0000-000000000000", Read(_system.Dom0, "uuid"));
        Assert.Equal("default=True type=int 0", Read(_system.Dom0, "qid"));
        Assert.Equal("default=True type=str adminvm-black", Read(_system.Dom0, "icon"));
    }

    [Fact]
    public void A_label_is_set_by_name_or_number_and_cannot_be_reset()
    {
        AppVM work = _system.AppVM("work");
        Set(work, "label", "blue");
        Assert.Equal(["work property-pre-set:label", "work property-reset:icon", "work property-set:label"], _system.Seen);
        Assert.Equal("default=False type=label blue", Read(work, "label"));
        Set(work, "label", "2");
        Assert.Equal("default=False type=label orange", Read(work, "label"));
        Set(work, "label", "label-3");
        Assert.Equal("default=False type=label yellow", Read(work, "label"));
        Assert.Equal("Label does not exist: pink", ErrorOfSet(work, "label", "pink"));
        Assert.Equal("Label does not exist: label-x", ErrorOfSet(work, "label", "label-x"));
        Assert.Throws<QubesException>(() => Reset(work, "label"));
        Assert.Equal("yellow", work.Label?.Name);
    }

    [Theory]
    [InlineData("memory", "0", "memory must be positive")]
    [InlineData("maxmem", "-1", "maxmem must be positive or zero")]
    [InlineData("vcpus", "-2", "vcpus must be positive")]
    [InlineData("qrexec_timeout", "0", "qrexec_timeout must be positive")]
    [InlineData("kernel", "a/b", "Kernel name cannot contain '/'")]
    [InlineData("virt_mode", "xen", "Invalid virtualization mode, supported values: hvm, pv, pvh")]
    [InlineData("mac", "00:16:3e:5e:6c", "Invalid MAC address value")]
    [InlineData("netvm", "gone", "Can't set netvm to non-existing qube gone")]
    [InlineData("netvm", "dom0", "wrong VM class: domains['dom0'] is of type AdminVM and not QubesVM")]
    [InlineData("netvm", "fedora", "The fedora qube does not provide network")]
    [InlineData("template", "", "Invalid value None for property 'template' of work")]
    [InlineData("template", "work", "wrong VM class: domains['work'] is of type AppVM and not TemplateVM")]
    [InlineData("default_dispvm", "dom0", "Cannot set invalid property to qube 'work', default_dispvm 'dom0' has template_for_dispvms set to False")]
    public void Bad_values_are_refused_with_the_text_clients_know(string property, string value, string text) =>
        Assert.Equal(text, ErrorOfSet(_system.AppVM("work"), property, value));

    [Fact]
    public void Kernel_options_have_a_limit()
    {
        AppVM work = _system.AppVM("work");
        Set(work, "kernelopts", new string('x', 512));
        Assert.Equal("Kernelopts value too long (512 chars max)", ErrorOfSet(work, "kernelopts", new string('x', 513)));
    }

    [Fact]
    public void Denied_interfaces_are_sorted_and_unique()
    {
        AppVM work = _system.AppVM("work");
        Set(work, "devices_denied", "u03****b******u03****");
        Assert.Equal("default=False type=str b******u03****", Read(work, "devices_denied"));
        Assert.Throws<QubesException>(() => Set(work, "devices_denied", "u03***"));
        Assert.Throws<QubesException>(() => Set(work, "devices_denied", "u03AB**"));
        Assert.Throws<QubesException>(() => Set(work, "devices_denied", "x03****"));
    }

    [Theory]
    [InlineData("us++", true)]
    [InlineData("pl+dvorak+grp:alt,caps:x", true)]
    [InlineData("us", false)]
    [InlineData("++", false)]
    [InlineData("u5++", false)]
    [InlineData("us+a.b+", false)]
    [InlineData("us++a b", false)]
    [InlineData("us+++", false)]
    public void A_keyboard_layout_has_three_parts(string value, bool valid)
    {
        AppVM work = _system.AppVM("work");
        Assert.Equal(valid, Record.Exception(() => Set(work, "keyboard_layout", value)) is null);
    }

    [Fact]
    public void Unknown_properties_are_named()
    {
        Assert.Equal("Invalid property 'x' of Qubes", Assert.Throws<QubesException>(() => _system.App.Property("x")).Message);
        Assert.Equal("Invalid property 'x' of dom0", Assert.Throws<QubesException>(() => _system.Dom0.Property("x")).Message);
    }

    [Fact]
    public void An_uninstalled_kernel_is_refused_when_chosen()
    {
        TestSystem system = new(new HostWithoutKernels());
        AppVM work = system.AppVM("work");
        Assert.Equal("Kernel '9.9' not installed", ErrorOfSet(work, "kernel", "9.9"));
        Assert.Equal("Kernel '9.9' not installed", ErrorOfSet(system.App, "default_kernel", "9.9"));
        Set(work, "kernel", "");
        Assert.Equal("default=False type=str ", Read(work, "kernel"));
        AppVM half = new TestSystem(new HostWithoutKernels { Found = Host.KernelPresence.WithoutImage }).AppVM("half");
        Assert.Equal("Kernel '9.9' not properly installed: missing 'vmlinuz' file", ErrorOfSet(half, "kernel", "9.9"));
    }

    [Fact]
    public void Cloning_copies_explicit_values_and_fires_one_event()
    {
        AppVM source = _system.AppVM("source");
        Set(source, "memory", "777");
        Set(source, "debug", "True");
        AppVM copy = _system.AppVM("copy");
        copy.CloneProperties(source);
        Assert.Equal(["copy clone-properties"], _system.Seen);
        Assert.Equal("default=False type=int 777", Read(copy, "memory"));
        Assert.Equal("default=True type=int 2", Read(copy, "vcpus"));
        Assert.Equal("copy", copy.Name.Value);
        Assert.NotEqual(source.Uuid, copy.Uuid);
        Assert.Equal($"default=False type=str {copy.Uuid}", Read(copy, "uuid"));
    }

    private static string ErrorOfSet(Model.Properties.PropertyHolder holder, string property, string value) =>
        Assert.Throws<QubesException>(() => Set(holder, property, value)).Message;

    private sealed class HostWithoutKernels : Host.FixedHostFacts
    {
        public Host.KernelPresence Found { get; init; } = Host.KernelPresence.Missing;

        public override Host.KernelPresence FindKernel(string kernel) => Found;
    }
}
