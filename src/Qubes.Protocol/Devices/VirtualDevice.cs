using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Events;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Devices;

/// <summary>
/// A device as calls and assignments name it: a port, and the identity the device at it must have. Either may be
/// <see cref="DevicePort.Any"/>.
/// </summary>
/// <param name="Port">Where it is.</param>
/// <param name="DeviceId">Its identity wherever it is plugged in; may hold <c>:</c>, never <c>+</c>.</param>
public sealed record VirtualDevice(DevicePort Port, string DeviceId) : IEventValue
{
    private const string UnknownInterface = "?******";
    private const string EncodedUnknownInterface = "_______";
    private const string EncodedAny = "_";

    // Printable ASCII but blank: the rest cannot be in an argument, or in the store.
    private static readonly SearchValues<char> ArgumentCharacters = SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)]);

    /// <summary><c>BACKEND:PORT:DEVICEID</c>.</summary>
    public string EventText => $"{Port.Backend}:{Port.PortId}:{DeviceId}";

    /// <summary>The key of a device in listings: <c>BACKEND+PORT:DEVICEID</c>.</summary>
    public string ListKey => $"{Port.Backend}+{Port.PortId}:{DeviceId}";

    /// <summary>Class and backend are equal; port and identity are equal or any.</summary>
    public bool Matches(VirtualDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Port.DeviceClass == device.Port.DeviceClass && Port.Backend == device.Port.Backend
            && (Port.PortId == DevicePort.Any || Port.PortId == device.Port.PortId)
            && (DeviceId == DevicePort.Any || DeviceId == device.DeviceId);
    }

    // BACKEND '+' PORT ['+' DEVICEID]
    //   in PORT and DEVICEID: ':' is sent as '+'; a lone '*' (any) as '_'; in DEVICEID seven '_' stand for the unknown interface "?******"

    /// <summary>Reads the argument of a device call.</summary>
    /// <param name="untrustedArgument">ASCII.</param>
    /// <param name="deviceClass">The class the call is of.</param>
    /// <exception cref="ProtocolErrorException">It is not of that form.</exception>
    public static VirtualDevice ParseArgument(string untrustedArgument, string deviceClass)
    {
        ArgumentNullException.ThrowIfNull(untrustedArgument);
        int plus = untrustedArgument.IndexOf('+', StringComparison.Ordinal);
        if (plus <= 0 || plus == untrustedArgument.Length - 1 || untrustedArgument[plus + 1] is '+' or ':'
            || untrustedArgument.AsSpan(0, plus).Contains(':'))
        {
            throw QubesErrors.Protocol("device argument must have the form BACKEND+PORT or BACKEND+PORT+DEVICEID");
        }

        if (untrustedArgument.AsSpan().ContainsAnyExcept(ArgumentCharacters))
        {
            throw QubesErrors.Protocol($"device argument contains illegal characters: {PythonText.Repr(untrustedArgument)}");
        }

        string backend = untrustedArgument[..plus];
        string rest = untrustedArgument[(plus + 1)..].Replace('+', ':');
        int colon = rest.IndexOf(':', StringComparison.Ordinal);
        string port = colon < 0 ? rest : rest[..colon];
        string deviceId = colon < 0 ? "" : rest[(colon + 1)..].Replace(EncodedUnknownInterface, UnknownInterface, StringComparison.Ordinal);
        return new VirtualDevice(
            new DevicePort(deviceClass, Decode(backend), Decode(port)), deviceId.Length == 0 ? DevicePort.Any : Decode(deviceId));
    }

    /// <summary>The argument that names this device in a call.</summary>
    public string ToArgument() => ListKey
        .Replace(':', '+')
        .Replace(UnknownInterface, EncodedUnknownInterface, StringComparison.Ordinal)
        .Replace('*', '_');

    /// <summary>Reads what people write: <c>BACKEND:PORT</c> or <c>BACKEND:PORT:DEVICEID</c>.</summary>
    public static bool TryParseText(string untrustedText, string deviceClass, [NotNullWhen(true)] out VirtualDevice? device)
    {
        ArgumentNullException.ThrowIfNull(untrustedText);
        string[] parts = untrustedText.Split(':', 3);
        device = parts.Length < 2 || parts[0].Length == 0 || parts[1].Length == 0
            ? null
            : new VirtualDevice(
                new DevicePort(deviceClass, parts[0], parts[1]), parts.Length == 3 && parts[2].Length > 0 ? parts[2] : DevicePort.Any);
        return device is not null;
    }

    public override string ToString() => EventText;

    private static string Decode(string untrustedPart) => untrustedPart == EncodedAny ? DevicePort.Any : untrustedPart;
}
