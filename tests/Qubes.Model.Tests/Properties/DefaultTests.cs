using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Host;
using static Qubes.Model.Tests.TestSystem;

namespace Qubes.Model.Tests.Properties;

public sealed class DefaultTests
{
    private readonly TestSystem _system = new();

    [Theory]
    [InlineData("memory", "777")]
    [InlineData("vcpus", "5")]
    [InlineData("default_user", "admin")]
    [InlineData("kernel", "6.1")]
    [InlineData("qrexec_timeout", "90")]
    [InlineData("shutdown_timeout", "91")]
    [InlineData("virt_mode", "hvm")]
    public void The_template_s_value_is_the_default_of_qubes_based_on_it(string property, string value)
    {
        AppVM work = _system.AppVM("work");
        Set(_system.Template, property, value);
        Assert.StartsWith("default=True", Read(work, property), StringComparison.Ordinal);
        Assert.EndsWith(" " + value, Read(work, property), StringComparison.Ordinal);
    }

    [Fact]
    public void A_template_s_change_is_announced_to_qubes_with_the_default()
    {
        AppVM follows = _system.AppVM("follows");
        AppVM has = _system.AppVM("has");
        Set(has, "vcpus", "1");
        _system.Seen.Clear();
        Set(_system.Template, "vcpus", "3");
        Assert.Equal(
            ["fedora property-pre-set:vcpus", "follows property-reset:vcpus", "fedora property-set:vcpus"], _system.Seen);
        Assert.Equal(3, follows.VCpus);
        Assert.Equal("name=vcpus", _system.Keywords("property-reset:vcpus"));
    }

    [Fact]
    public void System_defaults_hold_where_there_is_no_template()
    {
        Set(_system.App, "default_qrexec_timeout", "33");
        Assert.Equal("default=True type=int 33", Read(_system.Template, "qrexec_timeout"));
        Assert.Equal("default=True type=str ", Read(_system.Template, "kernel"));
        Set(_system.App, "default_kernel", "6.1");
        Assert.Equal("default=True type=str 6.1", Read(_system.Template, "kernel"));
        Assert.Equal("default=True type=vm dom0", Read(_system.Template, "guivm"));
    }

    [Fact]
    public void Pci_devices_make_a_qube_hvm()
    {
        AppVM work = _system.AppVM("work");
        Assert.Equal("pvh", work.VirtMode);
        work.Devices.Add(new DeviceAssignment { DeviceClass = "pci", Backend = "dom0", Port = "00_1f.0", DeviceId = "*", Mode = "required" });
        Assert.Equal("hvm", work.VirtMode);
        Assert.Throws<Qubes.Protocol.Errors.QubesException>(() => Set(work, "virt_mode", "pvh"));
    }

    [Theory]
    [InlineData(400, "Linux", 2048)]
    [InlineData(100, "Linux", 1000)]
    [InlineData(400, null, 2048)]
    public void Balancing_is_limited_to_half_of_the_host_on_xen(int memory, string? os, int expected)
    {
        TestSystem system = new(new FixedHostFacts { IsXen = true, MemoryMiB = 4096 });
        Set(system.Template, "memory", memory.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (os is not null)
        {
            system.Template.Features.Set("os", os);
        }

        Assert.Equal(expected, system.Template.MaxMem);
        Assert.Equal(expected, system.AppVM("work").MaxMem);
    }

    [Fact]
    public void There_is_no_balancing_off_xen() => Assert.Equal(0, _system.AppVM("work").MaxMem);

    [Fact]
    public void Kernel_options_come_from_the_kernel_or_the_template()
    {
        AppVM work = _system.AppVM("work");
        Assert.Equal("", work.KernelOpts);
        Set(_system.App, "default_kernel", "6.1");
        Assert.Equal("swiotlb=2048", work.KernelOpts);
        Set(_system.Template, "kernelopts", "nopat");
        Assert.Equal("nopat", work.KernelOpts);
    }

    [Fact]
    public void Icons_follow_class_role_and_label()
    {
        AppVM work = _system.AppVM("work");
        Assert.Equal("appvm-red", work.Icon);
        work.Features.Set("servicevm", true);
        Assert.Equal("servicevm-red", work.Icon);
        Set(work, "template_for_dispvms", "True");
        Assert.Equal("templatevm-red", work.Icon);
        Assert.Equal("templatevm-red", _system.Template.Icon);
        Assert.Equal("standalonevm-red", _system.Create(QubeClasses.StandaloneVM, "alone").Icon);
    }

    [Fact]
    public void Boot_modes_are_followed_along_templates()
    {
        AppVM work = _system.AppVM("work");
        Assert.Equal("default", work.BootMode);
        _system.Template.Features.Set("boot-mode.kernelopts.safe", "single");
        Set(_system.Template, "appvm_default_bootmode", "safe");
        Assert.Equal("safe", work.BootMode);
        Assert.Equal(" single", BootProperties.BootModeKernelOpts(work));
        _system.Template.Features.Set("boot-mode.default-user.safe", "root");
        Assert.Equal("root", BootProperties.EffectiveDefaultUser(work));
        work.Features.Set("boot-mode.active", "default");
        Assert.Equal("default", work.BootMode);
        work.Features.Set("boot-mode.active", "unknown");
        Assert.Equal("safe", work.BootMode);
        Set(work, "bootmode", "unknown");
        Assert.Equal(" single", BootProperties.BootModeKernelOpts(work));
    }

    [Fact]
    public void Keyboard_layout_comes_from_the_guivm_even_in_a_ring()
    {
        AppVM work = _system.AppVM("work");
        AppVM gui = _system.AppVM("gui");
        Assert.Equal("us++", work.KeyboardLayout);
        Set(_system.Dom0, "keyboard_layout", "de++");
        Assert.Equal("de++", work.KeyboardLayout);
        Set(work, "guivm", "gui");
        Set(gui, "guivm", "gui");
        Assert.Equal("us++", work.KeyboardLayout);
        Set(gui, "keyboard_layout", "pl++");
        Assert.Equal("pl++", work.KeyboardLayout);
        Set(gui, "guivm", "work");
        Reset(gui, "keyboard_layout");
        Assert.Equal("us++", work.KeyboardLayout);
    }
}
