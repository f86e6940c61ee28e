using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.Mic;

/// <summary>
/// The microphone: one device of dom0, which the qube that plays a frontend's sound (its <c>audiovm</c>) lets through when it is told to
/// (<see cref="AudioInput"/>). Any number of qubes may hear at the same time. Belongs to the model loop.
/// </summary>
internal sealed class MicSource(QubesApp app, AudioInput input) : IDeviceSource
{
    private readonly List<(QubesVM Frontend, LocalQube AudioVM)> _open = [];

    // Those whose audiovm is being told something by a call that waits.
    private readonly HashSet<LocalQube> _busy = [];

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
            if (qube.AudioVM is { IsRunning: true } audio && await AudioInput.IsOnAsync(audio, qube))
            {
                _open.Add((qube, audio));
            }
        }

        app.Devices.TakeForTold(this, app.Domains.AdminVM);
    }

    public IReadOnlyCollection<DeviceInfo> Exposed(LocalQube backend) => backend is AdminVM ? [Microphone(backend)] : [];

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

        await WhileBusyAsync(qube, async () =>
        {
            await input.SetAsync(audio, qube, isOn: true);
            if (qube.IsHalted || audio.IsHalted || qube.AudioVM != audio)
            {
                await TurnOffAsync(audio, qube);
                throw QubesErrors.VM($"{qube.Name} or its AudioVM {audio.Name} has stopped, or it got another one");
            }

            _open.Add((qube, audio));
        });
        return [];
    }

    public async Task DetachAsync(LocalQube frontend, DevicePort port)
    {
        foreach ((QubesVM qube, LocalQube audio) in _open.Where(o => o.Frontend == frontend).ToArray())
        {
            await WhileBusyAsync(qube, async () =>
            {
                await input.SetAsync(audio, qube, isOn: false);
                _open.Remove((qube, audio));
            });
        }
    }

    public void ForgetAttachments(LocalQube frontend)
    {
        foreach ((QubesVM qube, LocalQube audio) in _open.Where(o => o.Frontend == frontend).ToArray())
        {
            AudioInput.Forget(audio, qube);
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
            _ = TurnOffAsync(audio, frontend);
            if (qube.AudioVM is { IsRunning: true } now)
            {
                _open.Add((qube, now));
                _ = TurnOnAsync(now, frontend);
            }
            else
            {
                _ = TellDetachedAsync(frontend);
            }
        }
    }

    private async Task TurnOnAsync(LocalQube audio, QubesVM frontend)
    {
        try
        {
            await input.SetAsync(audio, frontend, isOn: true);
        }
        catch (Exception failure)
        {
            app.Devices.Failed?.Invoke($"The microphone of {frontend.Name} did not follow to {audio.Name}", failure);
            if (_open.Remove((frontend, audio)))
            {
                await TellDetachedAsync(frontend);
            }
        }
    }

    private async Task TurnOffAsync(LocalQube audio, QubesVM frontend)
    {
        if (audio.IsHalted)
        {
            return;
        }

        try
        {
            await input.SetAsync(audio, frontend, isOn: false);
        }
        catch (Exception failure)
        {
            app.Devices.Failed?.Invoke($"{audio.Name} may let the microphone through to {frontend.Name}", failure);
        }
    }

    /// <summary>Two calls at the same time would not know which of them the audiovm has heard last.</summary>
    private async Task WhileBusyAsync(QubesVM frontend, Func<Task> action)
    {
        if (!_busy.Add(frontend))
        {
            throw QubesErrors.General($"The microphone of {frontend.Name} is being attached or detached already");
        }

        try
        {
            await action();
        }
        finally
        {
            _busy.Remove(frontend);
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
            AudioInput.Clear(audio, starting);
        }
    }
}
