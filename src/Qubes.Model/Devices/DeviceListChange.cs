using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Devices;

namespace Qubes.Model.Devices;

/// <summary>What follows when the devices that a qube offers are not those told before.</summary>
internal static class DeviceListChange
{
    // Order: the list changed; detached; gone; new; attached; only then are qubes given what they wait for.
    public static async Task RunAsync(DeviceSources sources, DeviceClassState state, LocalQube backend)
    {
        string deviceClass = state.Source.DeviceClass;
        ToldDevices told = state.Told(backend);
        Dictionary<string, string?> before = new(told.Frontends, StringComparer.Ordinal);
        IReadOnlyCollection<DeviceInfo> now = state.Source.Exposed(backend);
        Dictionary<string, DeviceInfo> present = now.ToDictionary(d => d.Port.PortId, StringComparer.Ordinal);
        DeviceInfo[] added = [.. now.Where(d => !before.ContainsKey(d.Port.PortId))];
        told.Replace(now);

        // The list of attachments is a part of the devices: what it says is current whatever handlers do meanwhile.
        Fire(() => backend.Fire($"device-list-change:{deviceClass}"));
        foreach ((string port, string? frontend) in before)
        {
            DeviceInfo? device = present.GetValueOrDefault(port);
            if (frontend is not null && frontend != device?.Attachment)
            {
                await EndAttachmentAsync(sources, state, backend, frontend, new DevicePort(deviceClass, backend.Name, port));
            }
        }

        foreach (string port in before.Keys.Where(port => !present.ContainsKey(port)))
        {
            Fire(() => backend.Fire($"device-removed:{deviceClass}", EventArguments.Of("port", new DevicePort(deviceClass, backend.Name, port))));
        }

        foreach (DeviceInfo device in added)
        {
            Fire(() => backend.Fire($"device-added:{deviceClass}", EventArguments.Of("device", device)));
        }

        foreach (DeviceInfo device in now.Where(d => d.Attachment is not null && before.GetValueOrDefault(d.Port.PortId) != d.Attachment))
        {
            if (backend.App.Domains.TryGet(device.Attachment!, out Qube? frontend))
            {
                await FireAsync(() => frontend.FireAsync($"device-attach:{deviceClass}", EventArguments.Of(
                    ("device", device), ("options", Array.Empty<KeyValuePair<string, string>>()))));
            }
        }

        await AutoAttach.ToWaitingAsync(sources, state.Source, [.. added.Where(d => d.Attachment is null)]);

        void Fire(Action fire)
        {
            try
            {
                fire();
            }
            catch (Exception failure)
            {
                sources.ReportFailure($"A handler of a change of the {deviceClass} devices of {backend.Name} failed", failure);
            }
        }

        async Task FireAsync(Func<Task> fire)
        {
            try
            {
                await fire();
            }
            catch (Exception failure)
            {
                sources.ReportFailure($"A handler of a change of the {deviceClass} devices of {backend.Name} failed", failure);
            }
        }
    }

    /// <summary>A device that is gone, or went elsewhere, leaves the qube that had it.</summary>
    public static async Task EndAttachmentAsync(
        DeviceSources sources, DeviceClassState state, LocalQube backend, string frontendName, DevicePort port)
    {
        if (!backend.App.Domains.TryGet(frontendName, out Qube? qube) || qube is not LocalQube frontend)
        {
            return;
        }

        try
        {
            if (state.Source.AttachedTo(frontend).Any(a => a.Device.Port == port))
            {
                await state.Source.DetachAsync(frontend, port);
            }
        }
        catch (Exception failure)
        {
            sources.ReportFailure($"{port.DeviceClass} device {port} could not be taken from {frontendName}", failure);
        }

        sources.TouchAttachments(frontend);
        try
        {
            await frontend.FireAsync($"device-detach:{port.DeviceClass}", EventArguments.Of("port", port));
        }
        catch (Exception failure)
        {
            sources.ReportFailure($"A handler of device-detach:{port.DeviceClass} of {frontendName} failed", failure);
        }
    }
}
