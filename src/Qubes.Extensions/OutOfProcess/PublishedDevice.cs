using System.Buffers;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Model.Classes;
using Qubes.Protocol.Devices;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>One device in an extension's list.</summary>
internal static class PublishedDevice
{
    private const int MaxPortLength = 32;
    private const int MaxIdLength = 128;
    private const int MaxTextLength = 256;
    private const int MaxInterfaces = 64;

    private static readonly SearchValues<char> PortCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:?*");

    // {"port": PORT, "device_id": ID, "vendor": TEXT, "product": TEXT, "manufacturer": TEXT, "name": TEXT, "serial": TEXT,
    //  "interfaces": [CODE, …], "data": {KEY: TEXT, …}}, all but port optional

    /// <exception cref="RpcException">It is not of that form.</exception>
    public static DeviceInfo Parse(RpcParams untrusted, string deviceClass, LocalQube backend)
    {
        string port = untrusted.Text("port", MaxPortLength);
        if (port.Length == 0 || port.AsSpan().ContainsAnyExcept(PortCharacters))
        {
            throw RpcException.InvalidParams("a port is ASCII letters, digits and '-_.'");
        }

        string id = untrusted.OptionalText("device_id", MaxIdLength) ?? DeviceInfo.UnknownId;
        if (id.Length == 0 || id == DevicePort.Any || id.AsSpan().ContainsAnyExcept(IdCharacters))
        {
            throw RpcException.InvalidParams("a device_id is ASCII letters, digits and '-_.:?*', and more than '*'");
        }

        DeviceInterface[] interfaces = [.. untrusted.Texts("interfaces", MaxInterfaces, DeviceInterface.Length).Select(Interface)];
        return new DeviceInfo
        {
            Device = new VirtualDevice(new DevicePort(deviceClass, backend.Name, port), id),
            Vendor = Text(untrusted, "vendor"),
            Product = Text(untrusted, "product"),
            Manufacturer = Text(untrusted, "manufacturer"),
            Name = Text(untrusted, "name"),
            Serial = Text(untrusted, "serial"),
            Interfaces = interfaces.Length > 0 ? interfaces : [DeviceInterface.Unknown],
            Data = [.. untrusted.TextMap("data", maxCount: 32, MaxTextLength).Select(d => new KeyValuePair<string, string>(Key(d.Key), Printable(d.Value)))],
        };
    }

    private static string? Text(RpcParams untrusted, string name) => untrusted.OptionalText(name, MaxTextLength) is { Length: > 0 } text ? Printable(text) : null;

    private static string Key(string untrustedKey) =>
        untrustedKey.Length is > 0 and <= MaxPortLength && untrustedKey.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
            ? untrustedKey : throw RpcException.InvalidParams("a key of data is ASCII letters, digits and '_'");

    private static string Printable(string untrustedText) => string.Concat(untrustedText.Select(c => char.IsControl(c) ? ' ' : c));

    private static DeviceInterface Interface(string untrustedCode) =>
        untrustedCode.Length == DeviceInterface.Length && untrustedCode.All(c => char.IsAsciiLetterOrDigit(c) || c is '*' or '?')
            ? DeviceInterface.FromCode(untrustedCode)
            : throw RpcException.InvalidParams($"an interface has {DeviceInterface.Length} characters: letters, digits, '*', '?'");
}
