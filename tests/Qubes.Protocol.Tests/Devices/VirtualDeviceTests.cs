using CsCheck;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Tests.Devices;

public sealed class VirtualDeviceTests
{
    [Theory]
    [InlineData("sys-usb+1-1", "sys-usb", "1-1", "*")]
    [InlineData("sys-usb+1-1+_", "sys-usb", "1-1", "*")]
    [InlineData("sys-usb+_+dead", "sys-usb", "*", "dead")]
    [InlineData("sys-usb+1-1+", "sys-usb", "1-1", "*")]
    [InlineData("_+1-1", "*", "1-1", "*")]
    [InlineData("sys-usb+1-1+0000+0000++_______", "sys-usb", "1-1", "0000:0000::?******")]
    [InlineData("dom0+00_14.0+0x8086+0x8cb1++p0c0330", "dom0", "00_14.0", "0x8086:0x8cb1::p0c0330")]
    public void An_argument_names_backend_port_and_identity(string argument, string backend, string port, string id) =>
        Assert.Equal(new VirtualDevice(new DevicePort("usb", backend, port), id), VirtualDevice.ParseArgument(argument, "usb"));

    [Theory]
    [InlineData("")]
    [InlineData("sys-usb")]
    [InlineData("+1-1")]
    [InlineData("sys-usb+")]
    [InlineData("sys-usb++id")]
    [InlineData("sys-usb+:id")]
    [InlineData("sys:usb+1-1")]
    [InlineData("sys-usb+1\u0001")]
    [InlineData("sys-usb+1\u00e4")]
    public void Anything_else_is_refused(string argument) =>
        Assert.Throws<ProtocolErrorException>(() => VirtualDevice.ParseArgument(argument, "usb"));

    [Fact]
    public void The_argument_has_no_colon_and_no_star()
    {
        Assert.Equal("dom0+00_14.0+0x8086+0x8cb1++p0c0330",
            new VirtualDevice(new DevicePort("pci", "dom0", "00_14.0"), "0x8086:0x8cb1::p0c0330").ToArgument());
        Assert.Equal("sys-usb+1-1+0000+0000++_______", new VirtualDevice(new DevicePort("usb", "sys-usb", "1-1"), DeviceInfo.UnknownId).ToArgument());
        Assert.Equal("sys-usb+_+_", new VirtualDevice(new DevicePort("usb", "sys-usb", "*"), "*").ToArgument());
    }

    [Fact]
    public void Every_device_survives_the_argument()
    {
        Gen<string> port = Gen.OneOf(Gen.Const("*"), Gen.String[Gen.Char["abz019.-"], 1, 12]);
        Gen<string> id = Gen.OneOf(Gen.Const("*"), Gen.Const(DeviceInfo.UnknownId), Gen.String[Gen.Char["abf0189:."], 1, 30].Where(s => s[0] != ':' || s.Length > 1));
        Gen.Select(port, id).Sample((portId, deviceId) =>
        {
            VirtualDevice device = new(new DevicePort("usb", "sys-usb", portId), deviceId);
            Assert.Equal(device, VirtualDevice.ParseArgument(device.ToArgument(), "usb"));
        });
    }

    [Fact]
    public void Texts_are_those_of_event_streams()
    {
        VirtualDevice device = new(new DevicePort("usb", "sys-usb", "1-1"), "*");
        Assert.Equal("sys-usb:1-1:*", device.EventText);
        Assert.Equal("sys-usb:1-1", device.Port.EventText);
        Assert.Equal("sys-usb+1-1:*", device.ListKey);
    }

    [Theory]
    [InlineData("1-1", "a", true)]
    [InlineData("*", "a", true)]
    [InlineData("1-1", "*", true)]
    [InlineData("*", "*", true)]
    [InlineData("1-2", "a", false)]
    [InlineData("1-1", "b", false)]
    [InlineData("1-2", "*", false)]
    public void A_device_is_meant_if_port_and_identity_fit(string port, string id, bool expected)
    {
        VirtualDevice present = new(new DevicePort("usb", "sys-usb", "1-1"), "a");
        Assert.Equal(expected, new VirtualDevice(new DevicePort("usb", "sys-usb", port), id).Matches(present));
        Assert.False(new VirtualDevice(new DevicePort("usb", "other", port), id).Matches(present));
        Assert.False(new VirtualDevice(new DevicePort("block", "sys-usb", port), id).Matches(present));
    }

    [Theory]
    [InlineData("dom0:sda", "dom0", "sda", "*")]
    [InlineData("dom0:sda:x:y", "dom0", "sda", "x:y")]
    [InlineData("dom0:*:x", "dom0", "*", "x")]
    public void People_write_colons(string text, string backend, string port, string id)
    {
        Assert.True(VirtualDevice.TryParseText(text, "block", out VirtualDevice? device));
        Assert.Equal(new VirtualDevice(new DevicePort("block", backend, port), id), device);
    }

    [Theory]
    [InlineData("dom0")]
    [InlineData(":sda")]
    [InlineData("dom0:")]
    public void People_must_name_backend_and_port(string text) => Assert.False(VirtualDevice.TryParseText(text, "block", out _));
}
