using System.Text;
using Qubes.Protocol.Devices;

namespace Qubes.Model.Devices;

/// <summary>
/// What the store keeps of one device assignment of a qube. Immutable. The device layer gives it meaning; classes nobody knows
/// survive a load and save.
/// </summary>
public sealed record DeviceAssignment
{
    /// <summary>The device class, such as <c>pci</c>, <c>block</c>, <c>usb</c>.</summary>
    public required string DeviceClass { get; init; }

    /// <summary>The name of the qube that has the device; <c>*</c> for any.</summary>
    public required string Backend { get; init; }

    /// <summary>The port at the backend; <c>*</c> for any.</summary>
    public required string Port { get; init; }

    /// <summary>The device id; <c>*</c> for any.</summary>
    public required string DeviceId { get; init; }

    /// <summary><c>required</c>, <c>auto-attach</c> or <c>ask-to-attach</c>.</summary>
    public required string Mode { get; init; }

    /// <summary>Options in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Options { get; init; } = [];

    /// <summary>Orders assignments by what they name: the later one says more about the device.</summary>
    public static IComparer<DeviceAssignment> BySpecificity { get; } = Comparer<DeviceAssignment>.Create(static (left, right) =>
    {
        // '*' sorts below all that ports and ids are made of.
        int byBackend = string.CompareOrdinal(left.Backend, right.Backend);
        int byPort = byBackend != 0 ? byBackend : string.CompareOrdinal(left.Port, right.Port);
        return byPort != 0 ? byPort : string.CompareOrdinal(left.DeviceId, right.DeviceId);
    });

    /// <summary>The device that is meant.</summary>
    public VirtualDevice Device => new(new DevicePort(DeviceClass, Backend, Port), DeviceId);

    /// <summary>From what a call carries.</summary>
    public static DeviceAssignment Of(AssignmentRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        VirtualDevice device = request.Device;
        return new DeviceAssignment
        {
            DeviceClass = device.Port.DeviceClass,
            Backend = device.Port.Backend,
            Port = device.Port.PortId,
            DeviceId = device.DeviceId,
            Mode = request.Mode,
            Options = request.Options,
        };
    }

    /// <summary>As listings tell it.</summary>
    public AssignmentRequest ToRequest(string frontend) => new(Device, Mode, Options, frontend);

    /// <summary>Two assignments with equal identity are the same one.</summary>
    public bool IsSameDevice(DeviceAssignment other) => other is not null && other.DeviceClass == DeviceClass
        && other.Backend == Backend && other.Port == Port && other.DeviceId == DeviceId;

    /// <summary>
    /// Mode and options as the history tells them: <c>MODE</c>, then <c> _OPTION='VALUE'</c> for each option, as in the record of a call.
    /// </summary>
    public string HistoryText
    {
        get
        {
            StringBuilder text = new(Mode);
            foreach ((string key, string value) in Options)
            {
                DeviceRecord.AppendText(text, "_" + key, value);
            }

            return text.ToString();
        }
    }

    /// <summary>Mode and options from the history.</summary>
    /// <exception cref="Protocol.Errors.QubesException">The text is none of <see cref="HistoryText"/>.</exception>
    public static (string Mode, IReadOnlyList<KeyValuePair<string, string>> Options) ParseHistory(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int blank = text.IndexOf(' ', StringComparison.Ordinal);
        return blank < 0 ? (text, []) : (text[..blank], DeviceRecord.Parse(text[blank..]).Options);
    }

    /// <summary>How messages and history name it.</summary>
    public override string ToString() => $"{Backend}:{Port}:{DeviceId}";
}
