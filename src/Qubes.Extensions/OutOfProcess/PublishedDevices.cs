using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>
/// The devices of one class as an extension last told them. Lists are answered from here at once; attaching and detaching is the
/// extension's, which is asked. While it is being started anew, its devices are known and cannot be attached.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "End() gives the registration back.")]
internal sealed class PublishedDevices(string deviceClass, ExtensionEnvironment environment) : IDeviceSource
{
    public const int MaxDevices = 1024;

    // Attaching may mean that a driver and a guest have to do something.
    private static readonly TimeSpan AttachDeadline = TimeSpan.FromSeconds(60);

    private readonly Dictionary<LocalQube, IReadOnlyList<DeviceInfo>> _exposed = [];
    private readonly Dictionary<DevicePort, (LocalQube Frontend, IReadOnlyList<KeyValuePair<string, string>> Options)> _attached = [];

    public string DeviceClass { get; } = deviceClass;

    /// <summary>Who answers for these devices now.</summary>
    public ExtensionSession? Session { get; set; }

    public IDisposable? Registration { get; set; }

    /// <summary>The class is no longer known.</summary>
    public void End()
    {
        Registration?.Dispose();
        _exposed.Clear();
        _attached.Clear();
    }

    public IReadOnlyCollection<DeviceInfo> Exposed(LocalQube backend) =>
        backend.IsRunning && _exposed.TryGetValue(backend, out IReadOnlyList<DeviceInfo>? devices)
            ? [.. devices.Select(d => _attached.TryGetValue(d.Port, out var to) ? d with { Attachment = to.Frontend.Name } : d)]
            : [];

    public IReadOnlyCollection<AttachedDevice> AttachedTo(LocalQube frontend) =>
    [
        .. _attached.Where(a => a.Value.Frontend == frontend).Select(a => new AttachedDevice(Find(a.Key), a.Value.Options)),
    ];

    public async Task<IReadOnlyList<KeyValuePair<string, string>>> AttachAsync(
        LocalQube frontend, DeviceInfo device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        // Taken before the wait: of two calls that overlap the first gets it.
        if (!_attached.TryAdd(device.Port, (frontend, options)))
        {
            throw QubesErrors.DeviceAlreadyAttached($"Device {device} already attached to {_attached[device.Port].Frontend.Name}");
        }

        try
        {
            JsonElement answer = await AskAsync("device.attach", writer =>
            {
                WritePort(writer, frontend, device.Port);
                writer.WriteString("device_id", device.Device.DeviceId);
                writer.WriteStartObject("options");
                foreach ((string key, string value) in options)
                {
                    writer.WriteString(key, value);
                }

                writer.WriteEndObject();
            });
            IReadOnlyList<KeyValuePair<string, string>> chosen = new RpcParams(answer).TextMap("options", maxCount: 32);
            IReadOnlyList<KeyValuePair<string, string>> inForce = [.. options.Where(o => chosen.All(c => c.Key != o.Key)), .. chosen];
            _attached[device.Port] = (frontend, inForce);
            return inForce;
        }
        catch (Exception e)
        {
            _attached.Remove(device.Port);
            throw e is RpcException ? QubesErrors.General($"The extension of {DeviceClass} gave an unusable answer") : e;
        }
    }

    public async Task DetachAsync(LocalQube frontend, DevicePort port)
    {
        await AskAsync("device.detach", writer => WritePort(writer, frontend, port));
        _attached.Remove(port);
    }

    public void ForgetAttachments(LocalQube frontend)
    {
        foreach (DevicePort port in _attached.Where(a => a.Value.Frontend == frontend).Select(a => a.Key).ToArray())
        {
            _attached.Remove(port);
        }
    }

    /// <summary>Takes the whole list of one backend; what differs from before is announced.</summary>
    public void Publish(LocalQube backend, IReadOnlyList<RpcParams> untrustedDevices)
    {
        List<DeviceInfo> devices = [];
        foreach (RpcParams untrusted in untrustedDevices)
        {
            DeviceInfo device = PublishedDevice.Parse(untrusted, DeviceClass, backend);
            if (devices.Any(d => d.Port == device.Port))
            {
                throw RpcException.InvalidParams($"two devices at port '{device.Port.PortId}'");
            }

            devices.Add(device);
        }

        _exposed[backend] = devices;

        // Attaching to those that wait asks this extension, and perhaps people: it takes its time, and the extension is not to wait for it.
        _ = environment.App.Devices.AnnounceAsync(this, backend);
    }

    private DeviceInfo Find(DevicePort port) =>
        environment.App.Domains.TryGet(port.Backend, out Qube? qube) && qube is LocalQube backend
        && _exposed.GetValueOrDefault(backend)?.FirstOrDefault(d => d.Port == port) is { } known
            ? known
            : new DeviceInfo { Device = new VirtualDevice(port, DeviceInfo.UnknownId) };

    private static void WritePort(Utf8JsonWriter writer, LocalQube frontend, DevicePort port)
    {
        writer.WriteString("frontend", frontend.Name);
        writer.WriteString("class", port.DeviceClass);
        writer.WriteString("backend", port.Backend);
        writer.WriteString("port", port.PortId);
    }

    private async Task<JsonElement> AskAsync(string method, Action<Utf8JsonWriter> members)
    {
        if (Session is not { IsReady: true } session)
        {
            throw QubesErrors.General($"The extension of {DeviceClass} devices does not run");
        }

        RpcMessage answer;
        try
        {
            answer = await session.AskAsync(method, writer =>
            {
                writer.WriteStartObject();
                members(writer);
                writer.WriteEndObject();
            }, AttachDeadline);
        }
        catch (ExtensionGoneException e)
        {
            throw QubesErrors.General($"The extension of {DeviceClass} devices {e.Message}");
        }

        if (answer.Kind == RpcKind.Result)
        {
            return answer.Content;
        }

        throw QubesErrors.General(Refusal.Text(answer.ErrorText));
    }
}
