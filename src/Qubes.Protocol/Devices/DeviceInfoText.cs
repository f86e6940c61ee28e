using System.Text;
using Qubes.Protocol.Errors;

namespace Qubes.Protocol.Devices;

/// <summary>Devices as the <c>Available</c> calls list them, a line each.</summary>
public static class DeviceInfoText
{
    // PORT ':' DEVICEID SP record
    //   device_id port_id devclass backend_domain   '*' for what is not known
    //   vendor product manufacturer name serial     those that are known
    //   attachment                                  the qube it is attached to, if any
    //   interfaces                                  codes of seven characters, one after the other
    //   parent_port_id parent_devclass              if it is part of another device
    //   _KEY                                        what else the class tells

    /// <summary>The record of a device.</summary>
    public static string Write(DeviceInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        StringBuilder record = new();
        AppendDevice(record, info.Device);
        AppendIfKnown(record, "vendor", info.Vendor);
        AppendIfKnown(record, "product", info.Product);
        AppendIfKnown(record, "manufacturer", info.Manufacturer);
        AppendIfKnown(record, "name", info.Name);
        AppendIfKnown(record, "serial", info.Serial);
        AppendIfKnown(record, "attachment", info.Attachment);
        DeviceRecord.Append(record, "interfaces", string.Concat(info.Interfaces.Select(i => i.Code)));
        if (info.Parent is { } parent)
        {
            DeviceRecord.Append(record, "parent_port_id", parent.PortId);
            DeviceRecord.Append(record, "parent_devclass", parent.DeviceClass);
        }

        foreach ((string key, string value) in info.Data)
        {
            DeviceRecord.AppendText(record, "_" + key, value);
        }

        return record.ToString();
    }

    /// <summary>The line of a device, without its end.</summary>
    public static string WriteLine(DeviceInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        return $"{info.Port.PortId}:{info.Device.DeviceId} {Write(info)}";
    }

    /// <summary>Reads a line. A device whose record cannot be read is one nothing is known of but where it is.</summary>
    /// <exception cref="ProtocolErrorException">Not even that is told.</exception>
    public static DeviceInfo ParseLine(string untrustedLine, string deviceClass, string backend)
    {
        ArgumentNullException.ThrowIfNull(untrustedLine);
        int colon = untrustedLine.IndexOf(':', StringComparison.Ordinal);
        int blank = colon < 0 ? -1 : untrustedLine.IndexOf(' ', colon);
        if (colon <= 0 || blank < 0)
        {
            throw QubesErrors.Protocol("Malformed line of a device list");
        }

        VirtualDevice device = new(new DevicePort(deviceClass, backend, untrustedLine[..colon]), untrustedLine[(colon + 1)..blank]);
        try
        {
            return Parse(untrustedLine[(blank + 1)..], device);
        }
        catch (QubesException)
        {
            return new DeviceInfo { Device = device };
        }
    }

    /// <summary>Reads the record of a device.</summary>
    /// <param name="untrustedRecord">ASCII.</param>
    /// <param name="expected">The device it must be of.</param>
    /// <exception cref="QubesException">It is none, or is of another device.</exception>
    public static DeviceInfo Parse(string untrustedRecord, VirtualDevice expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        DeviceRecord record = DeviceRecord.Parse(untrustedRecord);
        VirtualDevice device = ReadDevice(record, expected);
        string? Get(string key) => record.Properties.GetValueOrDefault(key);
        DevicePort? parent = null;
        if (Get("parent_port_id") is { } parentPort)
        {
            parent = new DevicePort(
                Get("parent_devclass") ?? throw QubesErrors.Protocol("Missing device class of the parent"), device.Port.Backend, parentPort);
        }

        IReadOnlyList<DeviceInterface> interfaces = DeviceInterface.ParseList(Get("interfaces") ?? "");
        return new DeviceInfo
        {
            Device = device,
            Vendor = Get("vendor"),
            Product = Get("product"),
            Manufacturer = Get("manufacturer"),
            Name = Get("name"),
            Serial = Get("serial"),
            Attachment = Get("attachment"),
            Interfaces = interfaces.Count == 0 ? [DeviceInterface.Unknown] : interfaces,
            Parent = parent,
            Data = record.Options,
        };
    }

    /// <summary>What every record begins with.</summary>
    internal static void AppendDevice(StringBuilder record, VirtualDevice device)
    {
        DeviceRecord.Append(record, "device_id", device.DeviceId);
        DeviceRecord.Append(record, "port_id", device.Port.PortId);
        DeviceRecord.Append(record, "devclass", device.Port.DeviceClass);
        DeviceRecord.Append(record, "backend_domain", device.Port.Backend);
    }

    /// <summary>
    /// The device a record is of. What it says of itself must be what is expected; a device id is news if any was expected.
    /// </summary>
    /// <exception cref="QubesException"><c>UnexpectedDeviceProperty</c>.</exception>
    internal static VirtualDevice ReadDevice(DeviceRecord record, VirtualDevice expected)
    {
        Require("backend_domain", expected.Port.Backend, "backend exposing the device");
        Require("port_id", expected.Port.PortId, "port");
        Require("devclass", expected.Port.DeviceClass, "device class");
        string? deviceId = record.Properties.GetValueOrDefault("device_id");
        if (deviceId is { } told && expected.DeviceId != DevicePort.Any && told != expected.DeviceId)
        {
            throw QubesErrors.UnexpectedDeviceProperty($"Unexpected device identity: {told}, expected {expected.DeviceId}");
        }

        return deviceId is null ? expected : expected with { DeviceId = deviceId };

        void Require(string key, string value, string what)
        {
            if (record.Properties.TryGetValue(key, out string? told) && told != value)
            {
                throw QubesErrors.UnexpectedDeviceProperty($"Unexpected {what}: {told}, expected {value}");
            }
        }
    }

    private static void AppendIfKnown(StringBuilder record, string key, string? value)
    {
        if (value is not null)
        {
            DeviceRecord.AppendText(record, key, value);
        }
    }
}
