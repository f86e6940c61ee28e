using System.Text;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Fuzz.Targets;

/// <summary>Arguments, records and listings of device calls: taken or refused with an error of the API; what was taken is written alike.</summary>
internal sealed class DeviceRecordTarget : IFuzzTarget
{
    private static readonly VirtualDevice Any = new(new DevicePort("block", "dom0", DevicePort.Any), DevicePort.Any);

    public string Name => "device-record";

    public IEnumerable<byte[]> Seeds =>
    [
        "device_id='*' port_id='*' devclass='block' backend_domain='dom0' mode='auto-attach' frontend_domain='work' _read-only='yes'"u8.ToArray(),
        @"vendor='it\'s' product='a=' interfaces='b******u080650' parent_port_id='1-1' parent_devclass='usb' _sbdf='0000:00:14.0'"u8.ToArray(),
        "sda:u08****:1 device_id='u08****:1' port_id='sda' devclass='block' backend_domain='dom0'  interfaces='b******'"u8.ToArray(),
        "sys-usb+1-1+0000+0000++_______"u8.ToArray(),
        "sys-usb+_+dead"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        string text = Encoding.ASCII.GetString(bytes);
        if (Try(() => VirtualDevice.ParseArgument(text, "usb")) is { } device
            && VirtualDevice.ParseArgument(device.ToArgument(), "usb").ToArgument() != device.ToArgument())
        {
            throw new InvalidOperationException("an argument does not survive writing");
        }

        if (Try(() => AssignmentRequest.Parse(bytes, Any)) is { } request && !request.Options.Any(o => IsAmbiguous(o.Value)))
        {
            AssignmentRequest again = AssignmentRequest.Parse(Encoding.ASCII.GetBytes(request.Write()), Any);
            if (again.Mode != request.Mode || !again.Options.SequenceEqual(request.Options))
            {
                throw new InvalidOperationException("an assignment does not survive writing");
            }
        }

        Try(() => DeviceInfoText.Parse(text, Any));
        Try(() => DeviceInfoText.ParseLine(text, "block", "dom0"));
        Try(() => AssignmentRequest.ParseLine(text, "block"));
        foreach (DeviceInterface known in Try(() => DeviceInterface.ParseList(text)) ?? [])
        {
            _ = DeviceCategory.Of(known);
        }
    }

    /// <summary>The format marks quotes but not the mark: such a value can be read as the end of one pair and the begin of another.</summary>
    private static bool IsAmbiguous(string value) => value.EndsWith('=') || value.Contains('\\') || value.Contains('\'');

    private static T? Try<T>(Func<T> parse)
        where T : class
    {
        try
        {
            return parse();
        }
        catch (QubesException)
        {
            return null;
        }
    }
}
