using System.Text;
using CsCheck;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Tests.Devices;

public sealed class AssignmentRequestTests
{
    private static readonly VirtualDevice Device = new(new DevicePort("usb", "sys-usb", "1-1"), "*");

    [Fact]
    public void The_record_is_the_one_clients_know() => Assert.Equal(
        "device_id='*' port_id='1-1' devclass='usb' backend_domain='sys-usb' mode='auto-attach' frontend_domain='work'",
        new AssignmentRequest(Device, AssignmentModes.AutoAttach, [], "work").Write());

    [Fact]
    public void An_empty_payload_is_a_manual_attachment_without_options()
    {
        AssignmentRequest request = AssignmentRequest.Parse([], Device);
        Assert.Equal((Device, "manual", 0), (request.Device, request.Mode, request.Options.Count));
    }

    [Theory]
    [InlineData("read-only='yes'", "Unexpected property of an assignment: 'read-only'")]
    [InlineData("mode='sometimes'", "'sometimes' is not a valid AssignmentMode")]
    [InlineData("backend_domain='dom0'", "Unexpected backend exposing the device: dom0, expected sys-usb")]
    [InlineData("port_id='1-2'", "Unexpected port: 1-2, expected 1-1")]
    [InlineData("devclass='block'", "Unexpected device class: block, expected usb")]
    public void What_an_assignment_cannot_say_is_a_protocol_error(string payload, string expected) =>
        Assert.Equal(expected, Assert.Throws<ProtocolErrorException>(() => AssignmentRequest.Parse(Encoding.ASCII.GetBytes(payload), Device)).Message);

    [Fact]
    public void Every_assignment_is_read_back()
    {
        Gen<string> mode = Gen.OneOf(Gen.Const("manual"), Gen.Const("ask-to-attach"), Gen.Const("auto-attach"), Gen.Const("required"));
        Gen<string> value = Gen.String[Gen.Char["ab '\"-z"], 0, 10];
        Gen.Select(mode, Gen.Dictionary(Gen.String[Gen.Char["abc-"], 1, 5], value)[0, 3]).Sample((m, options) =>
        {
            AssignmentRequest request = new(Device with { DeviceId = "id" }, m, [.. options], "work");
            AssignmentRequest read = AssignmentRequest.Parse(Encoding.ASCII.GetBytes(request.Write()), Device);
            Assert.Equal((request.Device, request.Mode, request.Frontend), (read.Device, read.Mode, read.Frontend));
            Assert.Equal(request.Options, read.Options);
            read = AssignmentRequest.ParseLine(request.WriteLine(), "usb");
            Assert.Equal((request.Device, request.Mode), (read.Device, read.Mode));
        });
    }
}
