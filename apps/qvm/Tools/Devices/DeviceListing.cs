using Qubes.Client;
using Qubes.Protocol.Devices;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;
using Qvm.Output;

namespace Qvm.Tools.Devices;

/// <summary>The list: a row for each device that the chosen qubes offer or have, with who uses it.</summary>
internal static class DeviceListing
{
    public static async Task<int> RunAsync(ToolContext context, ParsedArguments arguments, string deviceClass, IReadOnlyList<string> names)
    {
        IReadOnlyList<QubeInfo> known = await context.App.ListQubesAsync();
        string[] chosen = Choose(known, names, arguments);
        try
        {
            List<string[]> rows = await RowsAsync(context, known, chosen, deviceClass, arguments.Has("assignments"), arguments.Has("with-sbdf"));
            rows.Sort(static (a, b) => string.CompareOrdinal(string.Join(' ', a), string.Join(' ', b)));
            if (ReferenceEquals(context.Out, Console.Out) && !Console.IsOutputRedirected)
            {
                rows.Insert(0, WithSbdf(deviceClass, arguments.Has("with-sbdf"))
                    ? ["BACKEND:DEVID", "SBDF", "DESCRIPTION", "USED BY"]
                    : ["BACKEND:DEVID", "DESCRIPTION", "USED BY"]);
            }

            await context.Out.WriteAsync(Table.Format(rows));
            return 0;
        }
        catch (QubesException e) when (ClientErrors.IsAccess(e) || e.Is(QubesErrorNames.ProtocolError))
        {
            context.PrintError($"Failed to list '{deviceClass}' devices, this device type either does not exist or you do not have access to it.");
            return 1;
        }
    }

    private static string[] Choose(IReadOnlyList<QubeInfo> known, IReadOnlyList<string> names, ParsedArguments arguments)
    {
        IReadOnlyList<string> excluded = arguments.All("exclude");
        if (arguments.Has("all") && names.Count > 0)
        {
            throw new UsageException("argument VMNAME: not allowed with argument --all");
        }

        if (excluded.Count > 0 && !arguments.Has("all"))
        {
            throw new UsageException("--exclude can only be used with --all");
        }

        if (names.Concat(excluded).FirstOrDefault(n => known.All(q => q.Name != n)) is { } unknown)
        {
            throw new UsageException($"no such domain: '{unknown}'");
        }

        return names.Count > 0 ? [.. names.Distinct(StringComparer.Ordinal)] : [.. known.Select(q => q.Name).Except(excluded, StringComparer.Ordinal)];
    }

    private static async Task<List<string[]>> RowsAsync(
        ToolContext context, IReadOnlyList<QubeInfo> known, string[] chosen, string deviceClass, bool withAssignments, bool withSbdf)
    {
        Dictionary<DevicePort, DeviceInfo> offered = [];
        foreach (string name in chosen)
        {
            await OfferedByAsync(name);
        }

        // A device may be used by a qube that was not asked for.
        List<(string Frontend, AssignmentRequest Use)> uses = [];
        List<(string Frontend, AssignmentRequest Use)> assignments = [];
        foreach (QubeInfo qube in known)
        {
            QubeDevices devices = context.App[qube.Name].DevicesOf(deviceClass);
            uses.AddRange((await devices.ListAttachedAsync()).Select(a => (qube.Name, a)));
            if (withAssignments)
            {
                assignments.AddRange((await devices.ListAssignedAsync()).Select(a => (qube.Name, a)));
            }
        }

        HashSet<DevicePort> shown = [.. offered.Keys];
        foreach ((_, AssignmentRequest attached) in uses.Where(u => chosen.Contains(u.Frontend)).ToArray())
        {
            if (shown.Add(attached.Device.Port) && !offered.ContainsKey(attached.Device.Port))
            {
                await OfferedByAsync(attached.Device.Port.Backend);
            }
        }

        List<string[]> rows = [];
        foreach (DevicePort port in shown)
        {
            DeviceInfo device = offered.GetValueOrDefault(port) ?? new DeviceInfo { Device = new VirtualDevice(port, DeviceInfo.UnknownId) };
            string usedBy = string.Join(", ", uses.Where(u => u.Use.Device.Port == port).Select(u => $"{u.Frontend} (attached{Options(u.Use, ": ")})"));
            rows.Add(Row(port, device.Data.FirstOrDefault(d => d.Key == "sbdf").Value, device.Description, usedBy));
        }

        foreach ((string frontend, AssignmentRequest use) in assignments)
        {
            if (chosen.Contains(frontend) || chosen.Contains(use.Device.Port.Backend))
            {
                rows.Add(Row(use.Device.Port, null, use.Device.DeviceId == DevicePort.Any ? "any device" : use.Device.DeviceId,
                    $"*{frontend} ({use.Mode}{Options(use, ": ")})"));
            }
        }

        return rows;

        async Task OfferedByAsync(string backend)
        {
            foreach (DeviceInfo device in await context.App[backend].DevicesOf(deviceClass).ListAvailableAsync())
            {
                offered.TryAdd(device.Port, device);
            }
        }

        string[] Row(DevicePort port, string? sbdf, string description, string usedBy) => WithSbdf(deviceClass, withSbdf)
            ? [port.ToString(), sbdf ?? "", description, usedBy]
            : [port.ToString(), description, usedBy];
    }

    private static bool WithSbdf(string deviceClass, bool isAsked) => isAsked && deviceClass == "pci";

    private static string Options(AssignmentRequest use, string separator) =>
        use.Options.Count == 0 ? "" : separator + string.Join(", ", use.Options.Select(o => $"{o.Key}={o.Value}"));
}
