using Qubes.Client;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools.Devices;

/// <summary>Attach, detach and info.</summary>
internal static class DeviceCommands
{
    public static async Task<int> AttachAsync(ToolContext context, ParsedArguments arguments, string deviceClass, IReadOnlyList<string> words)
    {
        (Qube qube, VirtualDevice? named) = await DeviceWords.QubeAndDeviceAsync(context, deviceClass, words, isDeviceNeeded: true);
        if (deviceClass == "pci")
        {
            throw new ToolException("PCI devices cannot be attached manually, did you mean `qvm-pci assign --required ...`");
        }

        List<KeyValuePair<string, string>> options = DeviceWords.Options(arguments);
        DeviceInfo device = await DeviceWords.OneAsync(context, named!);
        if (arguments.Has("persistent"))
        {
            AssignCommands.RefuseMode(deviceClass, AssignmentModes.Required);
        }

        await qube.DevicesOf(deviceClass).AttachAsync(device.Device, options);
        if (arguments.Has("persistent"))
        {
            await qube.DevicesOf(deviceClass).AssignAsync(device.Device, AssignmentModes.Required, options);
        }

        return 0;
    }

    public static async Task<int> DetachAsync(ToolContext context, string deviceClass, IReadOnlyList<string> words)
    {
        (Qube qube, VirtualDevice? named) = await DeviceWords.QubeAndDeviceAsync(context, deviceClass, words, isDeviceNeeded: false);
        QubeDevices devices = qube.DevicesOf(deviceClass);
        if (named is null)
        {
            foreach (AssignmentRequest attached in await devices.ListAttachedAsync())
            {
                await devices.DetachAsync(attached.Device);
            }

            return 0;
        }

        try
        {
            await devices.DetachAsync(named);
            return 0;
        }
        catch (QubesException e) when (e.Is(QubesErrorNames.DeviceNotAssigned))
        {
            context.PrintError($"{named.Port} is not attached.");
            return 1;
        }
    }

    // description, identity, then what else the class tells
    public static async Task<int> InfoAsync(ToolContext context, string deviceClass, IReadOnlyList<string> words)
    {
        if (words.Count != 1)
        {
            throw new UsageException(words.Count == 0
                ? "the following arguments are required: BACKEND:DEVICE_ID"
                : $"unrecognized arguments: {string.Join(' ', words.Skip(1))}");
        }

        VirtualDevice named = DeviceWords.Device(words[0], deviceClass, await context.App.ListQubesAsync());
        if (await DeviceWords.FindAsync(context, named) is not [DeviceInfo device, ..])
        {
            context.PrintError($"{named.Port} not found.");
            return 1;
        }

        await context.Out.WriteLineAsync(device.Description);
        await context.Out.WriteLineAsync($"device ID: {device.Device.DeviceId}");
        foreach ((string key, string value) in device.Data)
        {
            await context.Out.WriteLineAsync($"{key.Replace('_', ' ')}: {value}");
        }

        return 0;
    }
}
