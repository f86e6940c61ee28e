using System.Text;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.Mic;

/// <summary>
/// The microphone: one device of dom0, which the qube that plays the sound (the <c>audiovm</c>) lets through when its QubesDB says so, in
/// <c>/audio-input-config/FRONTEND</c>. Belongs to the model loop.
/// </summary>
internal sealed class MicSource(QubesApp app) : IDeviceSource
{
    private const string Directory = "/audio-input-config/";

    /// <summary>What a frontend's last run may have left in the audiovm: what was let through, what is, what it asks for.</summary>
    private static readonly string[] Leftovers = [Directory, "/audio-input/", "/audio-input-request/"];

    private const string On = "1";
    private const string Off = "0";

    private readonly List<(QubesVM Frontend, LocalQube AudioVM)> _open = [];

    public string DeviceClass => "mic";

    public void Register()
    {
        app.Devices.Register(this);
        app.Events.OnAwaited(EmitterClass.LocalVM, "domain-shutdown", stopped => CloseAllOfAsync((LocalQube)stopped.Subject));
        app.Events.On(EmitterClass.QubesVM, "domain-pre-spawn", starting => Forget((QubesVM)starting.Subject));
        DurableEvents durable = new(app);
        durable.On("property-set", "audiovm", changed => Follow((QubesVM)changed.Subject));
        durable.On("property-reset", "audiovm", changed => Follow((QubesVM)changed.Subject));
    }

    /// <summary>At daemon start: which running qubes hear.</summary>
    public async Task AdoptAsync()
    {
        foreach (QubesVM qube in app.Domains.OfType<QubesVM>().Where(q => q.IsRunning).ToArray())
        {
            if (qube.AudioVM is { IsRunning: true } audio
                && await audio.QubesDb.ReadUntrustedAsync(Directory + qube.Name) is { } untrustedState && Encoding.Latin1.GetString(untrustedState) == On)
            {
                _open.Add((qube, audio));
            }
        }

        app.Devices.TakeForTold(this, app.Domains.AdminVM);
    }

    public IReadOnlyCollection<DeviceInfo> Exposed(LocalQube backend) => backend is not AdminVM
        ? []
        : [Microphone(backend) with { Attachment = _open.Count == 0 ? null : _open[0].Frontend.Name }];

    public IReadOnlyCollection<AttachedDevice> AttachedTo(LocalQube frontend) =>
        [.. _open.Where(o => o.Frontend == frontend).Select(_ => new AttachedDevice(Microphone(app.Domains.AdminVM), []))];

    public void CheckAssignment(LocalQube frontend, VirtualDevice device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        if (options.Count > 0)
        {
            throw QubesErrors.General("mic device does not support user options");
        }
    }

    public async Task<IReadOnlyList<KeyValuePair<string, string>>> AttachAsync(
        LocalQube frontend, DeviceInfo device, IReadOnlyList<KeyValuePair<string, string>> options)
    {
        CheckAssignment(frontend, device.Device, options);
        if (frontend is not QubesVM { AudioVM: { } audio } qube)
        {
            throw QubesErrors.General($"VM {frontend.Name} has no AudioVM set");
        }

        if (audio.IsHalted)
        {
            throw QubesErrors.VMNotRunning(audio.Name);
        }

        audio.QubesDb.Write(Directory + qube.Name, On);
        await audio.QubesDb.FlushAsync();
        _open.Add((qube, audio));
        return [];
    }

    public async Task DetachAsync(LocalQube frontend, DevicePort port)
    {
        foreach ((QubesVM qube, LocalQube audio) in _open.Where(o => o.Frontend == frontend).ToArray())
        {
            audio.QubesDb.Write(Directory + qube.Name, Off);
            await audio.QubesDb.FlushAsync();
            _open.Remove((qube, audio));
        }
    }

    public void ForgetAttachments(LocalQube frontend)
    {
        foreach ((QubesVM qube, LocalQube audio) in _open.Where(o => o.Frontend == frontend).ToArray())
        {
            // The next qube of that name starts deaf.
            audio.QubesDb.Write(Directory + qube.Name, Off);
            _open.Remove((qube, audio));
        }
    }

    /// <summary>
    /// The qube's sound is played by another one now, durably: what heard before hears there, and the former audiovm lets nothing through.
    /// </summary>
    private void Follow(QubesVM qube)
    {
        foreach ((QubesVM frontend, LocalQube audio) in _open.Where(o => o.Frontend == qube && o.AudioVM != qube.AudioVM).ToArray())
        {
            _open.Remove((frontend, audio));
            audio.QubesDb.Write(Directory + qube.Name, Off);
            if (qube.AudioVM is { IsRunning: true } now)
            {
                now.QubesDb.Write(Directory + qube.Name, On);
                _open.Add((qube, now));
            }
            else
            {
                _ = TellDetachedAsync(frontend);
            }
        }
    }

    private static DeviceInfo Microphone(LocalQube backend) => new()
    {
        // Clients know the device by this very name.
        Device = new VirtualDevice(new DevicePort("mic", backend.Name, "mic"), "dom0:mic::m000000"),
        Manufacturer = "built-in",
        Name = "microphone",
        Interfaces = [DeviceInterface.FromCode("m000000")],
    };

    /// <summary>Without the qube that plays its sound a qube hears nothing.</summary>
    private async Task CloseAllOfAsync(LocalQube audioVM)
    {
        foreach ((QubesVM frontend, LocalQube audio) in _open.Where(o => o.AudioVM == audioVM).ToArray())
        {
            _open.Remove((frontend, audio));
            await TellDetachedAsync(frontend);
        }
    }

    private async Task TellDetachedAsync(QubesVM frontend)
    {
        try
        {
            await frontend.FireAsync("device-detach:mic", EventArguments.Of("port", Microphone(app.Domains.AdminVM).Port));
        }
        catch (Exception failure)
        {
            app.Devices.Failed?.Invoke($"A handler of device-detach:mic of {frontend.Name} failed", failure);
        }
    }

    /// <summary>A qube begins deaf, whatever its last run was let.</summary>
    private static void Forget(QubesVM starting)
    {
        if (starting.AudioVM is { IsRunning: true } audio && audio != starting)
        {
            foreach (string directory in Leftovers)
            {
                audio.QubesDb.Remove(directory + starting.Name);
            }
        }
    }
}
