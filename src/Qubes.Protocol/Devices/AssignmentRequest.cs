using System.Text;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Devices;

/// <summary>An assignment or attachment as calls carry it.</summary>
/// <param name="Device">Which device.</param>
/// <param name="Mode">One of <see cref="AssignmentModes"/>.</param>
/// <param name="Options">In order.</param>
/// <param name="Frontend">The name of the qube that gets it; null where the call says that.</param>
public sealed record AssignmentRequest(
    VirtualDevice Device, string Mode, IReadOnlyList<KeyValuePair<string, string>> Options, string? Frontend = null)
{
    // record: device_id port_id devclass backend_domain, mode, frontend_domain (if said), _OPTION for each option

    /// <summary>The record of an assignment, for a call.</summary>
    /// <exception cref="ProtocolErrorException">An option has characters that do not travel.</exception>
    public string Write() => Write(DeviceRecord.Append);

    /// <summary>The line of a listing, without its end.</summary>
    public string WriteLine() => $"{Device.ListKey} {Write(DeviceRecord.AppendText)}";

    /// <summary>Reads the payload of a call. An empty one is a manual attachment without options.</summary>
    /// <param name="untrustedPayload">The record.</param>
    /// <param name="expected">The device that the call's argument names.</param>
    /// <exception cref="ProtocolErrorException">Whatever is wrong with it.</exception>
    public static AssignmentRequest Parse(ReadOnlySpan<byte> untrustedPayload, VirtualDevice expected)
    {
        try
        {
            return Read(DeviceRecord.Parse(untrustedPayload), expected);
        }
        catch (QubesException cause) when (cause is not ProtocolErrorException)
        {
            throw QubesErrors.Protocol(cause.Message);
        }
    }

    /// <summary>Reads a line of a listing.</summary>
    /// <exception cref="QubesException">It is none.</exception>
    public static AssignmentRequest ParseLine(string untrustedLine, string deviceClass)
    {
        ArgumentNullException.ThrowIfNull(untrustedLine);
        int blank = untrustedLine.IndexOf(' ', StringComparison.Ordinal);
        int plus = untrustedLine.IndexOf('+', StringComparison.Ordinal);
        int colon = plus < 0 ? -1 : untrustedLine.IndexOf(':', plus);
        if (plus <= 0 || colon < 0 || blank < colon)
        {
            throw QubesErrors.Protocol("Malformed line of an assignment list");
        }

        VirtualDevice device = new(
            new DevicePort(deviceClass, untrustedLine[..plus], untrustedLine[(plus + 1)..colon]), untrustedLine[(colon + 1)..blank]);
        return Read(DeviceRecord.Parse(untrustedLine[(blank + 1)..]), device);
    }

    private static AssignmentRequest Read(DeviceRecord record, VirtualDevice expected)
    {
        VirtualDevice device = DeviceInfoText.ReadDevice(record, expected);
        foreach (string key in record.Properties.Keys)
        {
            if (key is not ("device_id" or "port_id" or "devclass" or "backend_domain" or "mode" or "frontend_domain"))
            {
                throw QubesErrors.Protocol($"Unexpected property of an assignment: {PythonText.Repr(key)}");
            }
        }

        string mode = record.Properties.GetValueOrDefault("mode", AssignmentModes.Manual);
        return AssignmentModes.IsKnown(mode)
            ? new AssignmentRequest(device, mode, record.Options, record.Properties.GetValueOrDefault("frontend_domain"))
            : throw QubesErrors.Protocol($"{PythonText.Repr(mode)} is not a valid AssignmentMode");
    }

    private string Write(Action<StringBuilder, string, string> append)
    {
        StringBuilder record = new();
        DeviceInfoText.AppendDevice(record, Device);
        DeviceRecord.Append(record, "mode", Mode);
        if (Frontend is not null)
        {
            DeviceRecord.Append(record, "frontend_domain", Frontend);
        }

        foreach ((string key, string value) in Options)
        {
            append(record, "_" + key, value);
        }

        return record.ToString();
    }
}
