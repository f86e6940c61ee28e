using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools.Devices;

/// <summary><c>qvm-device CLASS</c>, and <c>qvm-block</c>, <c>qvm-pci</c>, … for one class.</summary>
internal sealed class DeviceTool : ITool
{
    private static readonly string[] Commands =
    [
        "list", "ls", "l", "attach", "at", "a", "detach", "d", "dt", "assign", "s", "unassign", "u", "info", "i", "deny", "allow",
    ];

    private readonly string? _deviceClass;

    private DeviceTool(string? deviceClass) => _deviceClass = deviceClass;

    /// <summary>The class is the first argument.</summary>
    public static DeviceTool ForAnyClass { get; } = new(null);

    public string Name => "qvm-" + (_deviceClass ?? "device");

    public string Summary => $"list, attach and assign {(_deviceClass is null ? "devices" : _deviceClass + " devices")} of domains";

    public static DeviceTool For(string deviceClass) => new(deviceClass);

    public void Define(ArgumentParser parser)
    {
        parser.AllowsAbbreviations = false;
        if (_deviceClass is null)
        {
            parser.Positional("DEVICE_CLASS", "class", "the class of the devices, such as block", Arity.Optional);
        }

        parser.Positional("COMMAND", "command", "list (ls, l) [VMNAME ...]; attach (at, a) VMNAME DEVICE; detach (d, dt) VMNAME [DEVICE]; "
            + "assign (s) VMNAME DEVICE; unassign (u) VMNAME [DEVICE]; info (i) DEVICE; deny VMNAME [INTERFACE ...]; allow VMNAME INTERFACE ...|all; "
            + "without a command, list", Arity.Optional, Commands);
        parser.Positional("ARGUMENT", "words", "what the command works on; a DEVICE is BACKEND:PORT or BACKEND:PORT:DEVICEID, an INTERFACE seven characters", Arity.Any);
        parser.Flag("--assignments -s", "assignments", "list: show assignments as well");
        parser.Flag("--with-sbdf --resolve-paths", "with-sbdf", "list: show the addresses of PCI devices");
        parser.Flag("--all", "all", "list: all domains");
        parser.Option("--exclude", "exclude", "list: exclude the domain from --all", placeholder: "EXCLUDE");
        parser.Option("--option -o", "option",
            "attach, assign: an option, may be repeated; block knows frontend-dev, read-only and devtype", placeholder: "NAME=VALUE");
        parser.Flag("--ro", "ro", "attach, assign: read-only");
        parser.Flag("--persistent -p", "persistent", "attach: assign as required as well");
        parser.Flag("--ask --ask-to-attach", "ask", "assign: ask before the device is attached");
        parser.Flag("--required -r", "required", "assign: the domain does not start without the device");
        parser.Flag("--port --only-port", "port", "assign, unassign: whatever device is at the port");
        parser.Flag("--device --only-device", "device", "assign, unassign: the device, at whatever port");
        parser.Flag("--list-device-classes --list-classes", "classes", "list the classes of devices and exit");
        parser.ExclusiveKeys.Add(["ask", "required"]);
        parser.ExclusiveKeys.Add(["port", "device"]);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        if (arguments.Has("classes"))
        {
            foreach (string deviceClass in (await context.App.ListDeviceClassesAsync()).Order(StringComparer.Ordinal))
            {
                await context.Out.WriteLineAsync(deviceClass);
            }

            return 0;
        }

        string chosen = _deviceClass ?? arguments.Last("class") ?? throw new UsageException("the following arguments are required: DEVICE_CLASS");
        IReadOnlyList<string> words = arguments.All("words");
        try
        {
            switch (arguments.Last("command"))
            {
                case "attach" or "at" or "a":
                    return await DeviceCommands.AttachAsync(context, arguments, chosen, words);
                case "detach" or "d" or "dt":
                    return await DeviceCommands.DetachAsync(context, chosen, words);
                case "assign" or "s":
                    return await AssignCommands.AssignAsync(context, arguments, chosen, words);
                case "unassign" or "u":
                    return await AssignCommands.UnassignAsync(context, arguments, chosen, words);
                case "info" or "i":
                    return await DeviceCommands.InfoAsync(context, chosen, words);
                case "deny":
                    return await DeniedCommands.DenyAsync(context, words);
                case "allow":
                    return await DeniedCommands.AllowAsync(context, words);
                default:
                    return await DeviceListing.RunAsync(context, arguments, chosen, words);
            }
        }
        catch (QubesException e) when (!ClientErrors.IsAccess(e) && !e.Is(QubesErrorNames.ProtocolError))
        {
            context.PrintError(e.Message);
            return 1;
        }
    }
}
