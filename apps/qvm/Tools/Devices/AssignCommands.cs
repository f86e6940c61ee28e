using Qubes.Client;
using Qubes.Protocol.Devices;
using Qvm.CommandLine;

namespace Qvm.Tools.Devices;

/// <summary>Assign and unassign.</summary>
internal static class AssignCommands
{
    public static async Task<int> AssignAsync(ToolContext context, ParsedArguments arguments, string deviceClass, IReadOnlyList<string> words)
    {
        (Qube qube, VirtualDevice? named) = await DeviceWords.QubeAndDeviceAsync(context, deviceClass, words, isDeviceNeeded: true);
        List<KeyValuePair<string, string>> options = DeviceWords.Options(arguments);
        string mode = arguments.Has("required") ? AssignmentModes.Required
            : arguments.Has("ask") ? AssignmentModes.AskToAttach
            : AssignmentModes.AutoAttach;
        RefuseMode(deviceClass, mode);

        DeviceInfo? present = await DeviceWords.FindAsync(context, named!) is [DeviceInfo first, ..] ? first : null;
        if (present is null && !arguments.Has("port"))
        {
            throw DeviceWords.NotExposed(named!);
        }

        VirtualDevice device = arguments.Has("port") ? named! with { DeviceId = DevicePort.Any }
            : arguments.Has("device") ? present!.Device with { Port = present.Port with { PortId = DevicePort.Any } }
            : present!.Device;
        QubeDevices devices = qube.DevicesOf(deviceClass);
        await devices.AssignAsync(device, mode, options);
        if (context.Verbosity > 0)
        {
            await AdviseAssignedAsync(context, devices, qube, present, options);
        }

        return 0;
    }

    public static async Task<int> UnassignAsync(ToolContext context, ParsedArguments arguments, string deviceClass, IReadOnlyList<string> words)
    {
        (Qube qube, VirtualDevice? named) = await DeviceWords.QubeAndDeviceAsync(context, deviceClass, words, isDeviceNeeded: false);
        QubeDevices devices = qube.DevicesOf(deviceClass);
        IEnumerable<AssignmentRequest> assigned = await devices.ListAssignedAsync();
        if (named is not null)
        {
            string id = named.DeviceId;
            if (id == DevicePort.Any && arguments.Has("device"))
            {
                id = (await DeviceWords.OneAsync(context, named)).Device.DeviceId;
            }

            assigned = assigned.Where(a => a.Device.Port.Backend == named.Port.Backend && (arguments.Has("device")
                ? a.Device.Port.PortId == DevicePort.Any && a.Device.DeviceId == id
                : a.Device.Port.PortId == named.Port.PortId && (arguments.Has("port")
                    ? a.Device.DeviceId == DevicePort.Any
                    : id == DevicePort.Any || a.Device.DeviceId == id)));
        }

        AssignmentRequest[] chosen = [.. assigned];
        if (named is not null && chosen.Length == 0)
        {
            context.PrintError($"{named} not found.");
            return 1;
        }

        foreach (AssignmentRequest assignment in chosen)
        {
            await devices.UnassignAsync(assignment.Device);
            if (context.Verbosity > 0)
            {
                await AdviseUnassignedAsync(context, devices, qube, assignment.Device);
            }
        }

        return 0;
    }

    /// <summary>What would be kept but never carried out.</summary>
    internal static void RefuseMode(string deviceClass, string mode)
    {
        if (mode == AssignmentModes.Required && deviceClass is not ("pci" or "block" or "testclass"))
        {
            throw new ToolException("Only pci and block devices may be assigned as required.");
        }

        if (mode != AssignmentModes.Required && deviceClass == "pci")
        {
            throw new ToolException("PCI devices can only be assigned as required, see option --required.");
        }
    }

    private static async Task AdviseAssignedAsync(
        ToolContext context, QubeDevices devices, Qube qube, DeviceInfo? present, List<KeyValuePair<string, string>> options)
    {
        if (present is null)
        {
            return;
        }

        IReadOnlyList<DeviceInterface> denied = await qube.ListDeniedInterfacesAsync();
        if (present.Interfaces.Any(i => denied.Any(pattern => i.Matches(pattern))))
        {
            await context.Out.WriteLineAsync("Warning: The assigned device is on the denied list.");
            await context.Out.WriteLineAsync("         It comes by itself, but cannot be attached by hand.");
        }

        if (devices.DeviceClass == "pci" || await qube.GetPowerStateAsync() == "Halted"
            || (await devices.ListAttachedAsync()).Any(a => a.Device.Port == present.Port))
        {
            return;
        }

        string given = string.Concat(options.Select(o => $"-o {o.Key}={o.Value} "));
        await context.Out.WriteLineAsync("Assigned. To attach you can now restart domain or run: ");
        await context.Out.WriteLineAsync($"\tqvm-{devices.DeviceClass} attach {given}{qube.Name} {present.Port}");
    }

    private static async Task AdviseUnassignedAsync(ToolContext context, QubeDevices devices, Qube qube, VirtualDevice device)
    {
        if ((await devices.ListAttachedAsync()).FirstOrDefault(a => device.Matches(a.Device)) is { } attached)
        {
            await context.Out.WriteLineAsync("Unassigned. To detach you can now restart domain or run: ");
            await context.Out.WriteLineAsync($"\tqvm-{devices.DeviceClass} detach {qube.Name} {attached.Device.Port}");
        }
    }
}
