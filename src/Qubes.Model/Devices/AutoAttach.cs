using Qubes.Model.Classes;
using Qubes.Protocol.Devices;

namespace Qubes.Model.Devices;

/// <summary>
/// Attaches what is assigned and not part of the domain itself: when the qube starts, and when the device appears. Failures are
/// reported and keep nothing else from being attached.
/// </summary>
internal static class AutoAttach
{
    /// <summary>
    /// The qube has started: gives it what is there and free, at the same time. The most specific assignment of a device wins. What a person
    /// is asked about follows when they answer; the start does not wait for that.
    /// </summary>
    public static async Task ToStartedAsync(DeviceSources sources, LocalQube frontend)
    {
        List<Task> running = [];
        foreach (DeviceClassState state in sources.All)
        {
            QubeDevices devices = frontend.DevicesOf(state.Source.DeviceClass);
            HashSet<DevicePort> taken = [];
            await RefreshBackendsAsync(sources, state.Source, devices);
            foreach (DeviceAssignment assignment in devices.MostSpecificFirst.Where(a => IsAttachedAfterStart(state.Source, a)))
            {
                foreach (DeviceInfo device in DeviceResolver.Resolve(frontend.App, assignment.Device).Where(d => d.Attachment is null))
                {
                    if (taken.Add(device.Port))
                    {
                        bool askFirst = assignment.Mode == AssignmentModes.AskToAttach;
                        Task attaching = AttachAsync(sources, frontend, device, assignment, askFirst);
                        running.Add(askFirst ? Task.CompletedTask : attaching);
                    }
                }
            }
        }

        await Task.WhenAll(running);
    }

    /// <summary>
    /// Devices have appeared: gives each to the running qube that waits for it; where several do, people decide. No device waits for the
    /// answer about another.
    /// </summary>
    public static Task ToWaitingAsync(DeviceSources sources, IDeviceSource source, IReadOnlyList<DeviceInfo> added) =>
        Task.WhenAll(added.Select(device => ToWaitingAsync(sources, source, device)));

    private static async Task ToWaitingAsync(DeviceSources sources, IDeviceSource source, DeviceInfo device)
    {
        Dictionary<LocalQube, DeviceAssignment> waiting = [];
        foreach (LocalQube frontend in sources.App.Domains.OfType<LocalQube>().Where(q => q.IsRunning))
        {
            DeviceAssignment? match = frontend.DevicesOf(source.DeviceClass).MostSpecificFirst.FirstOrDefault(a => a.Device.Matches(device.Device));
            if (match is not null && IsAttachedAfterStart(source, match))
            {
                waiting[frontend] = match;
            }
        }

        switch (waiting.Count)
        {
            case 0:
                break;
            case 1:
                (LocalQube only, DeviceAssignment assignment) = waiting.First();
                await AttachAsync(sources, only, device, assignment, askFirst: assignment.Mode == AssignmentModes.AskToAttach);
                break;
            default:
                if (await ChooseAsync(sources, device, [.. waiting.Keys]) is { } chosen && waiting.TryGetValue(chosen, out DeviceAssignment? its))
                {
                    await AttachAsync(sources, chosen, device, its, askFirst: false);
                }

                break;
        }
    }

    private static async Task RefreshBackendsAsync(DeviceSources sources, IDeviceSource source, QubeDevices devices)
    {
        foreach (string backend in devices.Assigned.Select(a => a.Backend).Distinct(StringComparer.Ordinal).ToArray())
        {
            if (sources.App.Domains.TryGet(backend, out Qube? qube) && qube is LocalQube local)
            {
                await source.RefreshAsync(local);
            }
        }
    }

    private static bool IsAttachedAfterStart(IDeviceSource source, DeviceAssignment assignment) =>
        assignment.Mode != AssignmentModes.Required || !source.RequiredIsPartOfDomain;

    /// <summary>The qube a person chose, if it and the device are still there and free: people take their time.</summary>
    private static async Task<LocalQube?> ChooseAsync(DeviceSources sources, DeviceInfo device, IReadOnlyList<LocalQube> candidates) =>
        sources.Prompt is { } prompt && await prompt.AskAsync(device, candidates) is { IsRunning: true } chosen
        && DeviceResolver.Find(sources.App, device.Port) is { Attachment: null } now && now.Device == device.Device
            ? chosen
            : null;

    private static async Task AttachAsync(
        DeviceSources sources, LocalQube frontend, DeviceInfo device, DeviceAssignment assignment, bool askFirst)
    {
        try
        {
            if (!askFirst || await ChooseAsync(sources, device, [frontend]) == frontend)
            {
                await frontend.DevicesOf(device.Port.DeviceClass).AttachKnownAsync(device, assignment.Options);
            }
        }
        catch (Exception failure)
        {
            sources.ReportFailure($"{device.Port.DeviceClass} device {device} could not be attached to {frontend.Name}", failure);
        }
    }
}
