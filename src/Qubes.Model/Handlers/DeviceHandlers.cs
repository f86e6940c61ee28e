using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;

namespace Qubes.Model.Handlers;

/// <summary>Devices come with a qube's start and go with its stop.</summary>
internal static class DeviceHandlers
{
    public static void Register(EventHandlers events)
    {
        events.OnAwaited(EmitterClass.LocalVM, "domain-start", OnStartedAsync);

        // What came while the qube slept.
        events.OnAwaited(EmitterClass.LocalVM, "domain-resumed", OnStartedAsync);
        events.OnAwaited(EmitterClass.LocalVM, "domain-shutdown", OnStoppedAsync);

        // What is a part of the domain comes and goes with it.
        events.On(EmitterClass.LocalVM, "domain-spawn", TouchAttachments);
        events.On(EmitterClass.LocalVM, "domain-start-failed", TouchAttachments);
    }

    private static Task OnStartedAsync(QubesEvent started)
    {
        LocalQube qube = (LocalQube)started.Subject;
        return AutoAttach.ToStartedAsync(qube.App.Devices, qube);
    }

    private static void TouchAttachments(QubesEvent happened) => happened.Subject.App.Devices.TouchAttachments((LocalQube)happened.Subject);

    private static async Task OnStoppedAsync(QubesEvent stopped)
    {
        LocalQube qube = (LocalQube)stopped.Subject;
        foreach (DeviceClassState state in qube.App.Devices.All)
        {
            await EndOffersAsync(state, qube);
            await EndAttachmentsAsync(state.Source, qube);
        }
    }

    /// <summary>What the stopped qube offered is gone, and leaves those that had it.</summary>
    private static async Task EndOffersAsync(DeviceClassState state, LocalQube backend)
    {
        ToldDevices told = state.Told(backend);
        KeyValuePair<string, string?>[] gone = [.. told.Frontends];
        told.Clear();
        foreach ((string portId, string? frontend) in gone)
        {
            DevicePort port = new(state.Source.DeviceClass, backend.Name, portId);
            backend.Fire($"device-removed:{port.DeviceClass}", EventArguments.Of("port", port));
            if (frontend is not null)
            {
                await DeviceListChange.EndAttachmentAsync(backend.App.Devices, state, backend, frontend, port);
            }
        }
    }

    private static async Task EndAttachmentsAsync(IDeviceSource source, LocalQube frontend)
    {
        DevicePort[] ports = [.. source.AttachedTo(frontend).Select(a => a.Device.Port)];
        source.ForgetAttachments(frontend);
        frontend.App.Devices.TouchAttachments(frontend);
        foreach (DevicePort port in ports)
        {
            frontend.App.Devices.NoteAttachment(port, frontend: null);
            await frontend.FireAsync($"device-detach:{port.DeviceClass}", EventArguments.Of("port", port));
        }
    }
}
