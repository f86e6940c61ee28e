using Qubes.Client;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Properties;
using Qvm.CommandLine;

namespace Qvm.Tools.Devices;

/// <summary>From the words of a command line to qubes, devices and options.</summary>
internal static class DeviceWords
{
    private const string ReadOnly = "read-only";

    /// <summary>The qube that is named first, and the device named after it, if any.</summary>
    public static async Task<(Qube Qube, VirtualDevice? Device)> QubeAndDeviceAsync(
        ToolContext context, string deviceClass, IReadOnlyList<string> words, bool isDeviceNeeded)
    {
        if (words.Count == 0 || (isDeviceNeeded && words.Count == 1))
        {
            throw new UsageException($"the following arguments are required: {(words.Count == 0 ? "VMNAME" : "BACKEND:DEVICE_ID")}");
        }

        if (words.Count > 2)
        {
            throw new UsageException($"unrecognized arguments: {string.Join(' ', words.Skip(2))}");
        }

        IReadOnlyList<QubeInfo> known = await context.App.ListQubesAsync();
        if (known.All(q => q.Name != words[0]))
        {
            throw new UsageException($"no such domain: '{words[0]}'");
        }

        return (context.App[words[0]], words.Count == 2 ? Device(words[1], deviceClass, known) : null);
    }

    /// <summary>A device by name; its backend must exist.</summary>
    public static VirtualDevice Device(string word, string deviceClass, IReadOnlyList<QubeInfo> known)
    {
        if (!VirtualDevice.TryParseText(word, deviceClass, out VirtualDevice? device))
        {
            throw new UsageException($"expected a backend vm, port id and [optional] device id combination like foo:bar[:baz] got {word}");
        }

        return known.Any(q => q.Name == device.Port.Backend) ? device : throw new ToolException("no such backend vm!");
    }

    /// <summary>The devices that the backend has and the name means.</summary>
    public static async Task<IReadOnlyList<DeviceInfo>> FindAsync(ToolContext context, VirtualDevice device) =>
    [
        .. (await context.App[device.Port.Backend].DevicesOf(device.Port.DeviceClass).ListAvailableAsync()).Where(d => device.Matches(d.Device)),
    ];

    /// <summary>The one device that the backend has and the name means.</summary>
    public static async Task<DeviceInfo> OneAsync(ToolContext context, VirtualDevice device) => await FindAsync(context, device) is [DeviceInfo only, ..]
        ? only
        : throw NotExposed(device);

    public static ToolException NotExposed(VirtualDevice device) =>
        new($"backend vm {device.Port.Backend} doesn't expose {device.Port.DeviceClass} device '{device.Port.PortId}'");

    /// <summary><c>-o NAME=VALUE …</c> and <c>--ro</c>, which wins.</summary>
    public static List<KeyValuePair<string, string>> Options(ParsedArguments arguments)
    {
        List<KeyValuePair<string, string>> options = [];
        foreach (string word in arguments.All("option"))
        {
            if (word.Split('=', 2) is not [{ Length: > 0 } name, string value])
            {
                throw new UsageException($"argument --option/-o: expected NAME=VALUE, got '{word}'");
            }

            if (name == "ro")
            {
                name = ReadOnly;
                value = PropertyPayload.TryBool(value) switch
                {
                    true => "yes",
                    false => "no",
                    null => throw new UsageException($"argument --option/-o: invalid value for ro: '{value}'"),
                };
            }

            options.RemoveAll(o => o.Key == name);
            options.Add(new(name, value));
        }

        if (arguments.Has("ro"))
        {
            options.RemoveAll(o => o.Key == ReadOnly);
            options.Add(new(ReadOnly, "yes"));
        }

        return options;
    }
}
