using Qubes.Model.Classes;
using Qubes.Protocol.Devices;
using Qubes.Testing;

namespace Qubes.Model.Tests.Devices;

public sealed class DeviceSourceTests
{
    private readonly DeviceSystem _devices = new();

    [Fact]
    public void A_class_has_one_source_until_it_goes()
    {
        int changes = 0;
        _devices.System.App.Devices.ClassesChanged += () => changes++;
        Assert.Throws<ArgumentException>(() => _devices.System.App.Devices.Register(new MemoryDeviceSource(DeviceSystem.Class)));
        Assert.Throws<ArgumentException>(() => _devices.System.App.Devices.Register(new MemoryDeviceSource("no.class")));
        using (_devices.System.App.Devices.Register(new MemoryDeviceSource("another")))
        {
            Assert.Equal(["another", DeviceSystem.Class], _devices.System.App.Devices.Classes);
        }

        Assert.Equal([DeviceSystem.Class], _devices.System.App.Devices.Classes);
        Assert.Equal(2, changes);
    }

    [Fact]
    public async Task A_changed_list_is_told_once()
    {
        DeviceInfo device = _devices.Source.Put("sys-usb", "1-1");
        await _devices.AnnounceAsync();
        Assert.Equal(["sys-usb device-list-change:testclass", "sys-usb device-added:testclass"], _devices.System.Seen);
        Assert.Equal("device=sys-usb:1-1:dead:beef", _devices.System.Keywords("device-added:testclass"));
        _devices.System.Seen.Clear();
        await _devices.AnnounceAsync();
        Assert.Equal(["sys-usb device-list-change:testclass"], _devices.System.Seen);
        _devices.System.Seen.Clear();
        _devices.Source.TakeAway(device);
        await _devices.AnnounceAsync();
        Assert.Equal(["sys-usb device-list-change:testclass", "sys-usb device-removed:testclass"], _devices.System.Seen);
        Assert.Equal("port=sys-usb:1-1", _devices.System.Keywords("device-removed:testclass"));
    }

    [Fact]
    public async Task What_is_there_when_the_daemon_begins_is_no_news()
    {
        _devices.Source.Put("sys-usb", "1-1");
        _devices.System.App.Devices.TakeForTold(_devices.Source, _devices.Backend);
        await _devices.AnnounceAsync();
        Assert.DoesNotContain("sys-usb device-added:testclass", _devices.System.Seen);
    }

    [Fact]
    public async Task Attachments_made_elsewhere_are_told_and_our_own_are_not_told_twice()
    {
        DeviceInfo device = _devices.Source.Put("sys-usb", "1-1");
        await _devices.AnnounceAsync();
        _devices.Source.AttachOutside(_devices.Work, device);
        _devices.System.Seen.Clear();
        await _devices.AnnounceAsync();
        Assert.Equal(["sys-usb device-list-change:testclass", "work device-attach:testclass"], _devices.System.Seen);

        await _devices.Devices.DetachAsync(DeviceSystem.Device("1-1"));
        await _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []);
        _devices.System.Seen.Clear();
        await _devices.AnnounceAsync();
        Assert.Equal(["sys-usb device-list-change:testclass"], _devices.System.Seen);
    }

    [Fact]
    public async Task A_device_that_is_gone_leaves_the_qube_that_had_it()
    {
        DeviceInfo device = _devices.Source.Put("sys-usb", "1-1");
        await _devices.AnnounceAsync();
        await _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []);
        _devices.System.Seen.Clear();
        _devices.Source.TakeAway(device);
        await _devices.AnnounceAsync();
        Assert.Equal(["sys-usb device-list-change:testclass", "work device-detach:testclass", "sys-usb device-removed:testclass"], _devices.System.Seen);
        Assert.Contains("detach sys-usb:1-1 from work", _devices.Source.Asked);
    }

    [Fact]
    public async Task The_end_of_the_backend_ends_its_attachments()
    {
        _devices.Source.Put("sys-usb", "1-1");
        _devices.Source.Put("sys-usb", "1-2");
        await _devices.AnnounceAsync();
        await _devices.Devices.AttachAsync(DeviceSystem.Device("1-2"), []);
        _devices.System.Seen.Clear();
        _devices.Backend.Runtime.State = PowerState.Halted;
        await _devices.Backend.FireAsync("domain-shutdown");
        Assert.Equal(["sys-usb domain-shutdown", "sys-usb device-removed:testclass", "sys-usb device-removed:testclass", "work device-detach:testclass"],
            _devices.System.Seen);
        Assert.Empty(_devices.Devices.Attached);
    }

    [Fact]
    public async Task The_end_of_a_qube_frees_what_it_had()
    {
        _devices.Source.Put("sys-usb", "1-1");
        await _devices.AnnounceAsync();
        await _devices.Devices.AttachAsync(DeviceSystem.Device("1-1"), []);
        _devices.System.Seen.Clear();
        _devices.Work.Runtime.State = PowerState.Halted;
        await _devices.Work.FireAsync("domain-shutdown");
        Assert.Equal(["work domain-shutdown", "work device-detach:testclass"], _devices.System.Seen);
        Assert.DoesNotContain("detach sys-usb:1-1 from work", _devices.Source.Asked);
        Assert.Null(Assert.Single(_devices.Backend.DevicesOf(DeviceSystem.Class).Exposed).Attachment);
    }
}
