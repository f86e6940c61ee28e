using System.Text;
using Qubes.Admin.Calls;
using Qubes.Model.Classes;
using Qubes.Model.Devices;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Handlers;

/// <summary>The listing calls of device classes.</summary>
internal static class DeviceHandlers
{
    /// <summary>The device classes this daemon knows.</summary>
    public static IReadOnlyList<string> Classes { get; } = ["block", "pci"];

    /// <summary>What a qube offers to others. Devices are found by extensions; without one there are none.</summary>
    public static void Available(AdminCall call, string deviceClass)
    {
        call.Permit(("devclass", deviceClass));
    }

    // <backend>+<port>:<device id> SP <serialised assignment> LF
    public static void Assigned(AdminCall call, string deviceClass)
    {
        (string Backend, string Port)? only = ParsePort(call.UntrustedArgument);
        AdminFilters filters = call.Permit(("devclass", deviceClass));
        if (call.Destination is not LocalQube qube)
        {
            return;
        }

        List<string> lines = [];
        foreach (DeviceAssignment assignment in qube.Devices.OfClass(deviceClass))
        {
            bool wanted = only is not { } port || (assignment.Backend == port.Backend && assignment.Port == port.Port);
            if (wanted && filters.Allows(assignment))
            {
                lines.Add(Line(qube, assignment));
            }
        }

        lines.Sort(StringComparer.Ordinal);
        lines.ForEach(line => call.WriteLine(line));
    }

    /// <summary>What is attached to a qube at the moment. Devices are attached by extensions; without one there are none.</summary>
    public static void Attached(AdminCall call, string deviceClass)
    {
        _ = ParsePort(call.UntrustedArgument);
        call.Permit(("devclass", deviceClass));
    }

    /// <summary>Reads <c>BACKEND+PORT</c>; null for an empty argument.</summary>
    private static (string Backend, string Port)? ParsePort(string untrustedArgument)
    {
        if (untrustedArgument.Length == 0)
        {
            return null;
        }

        int plus = untrustedArgument.IndexOf('+', StringComparison.Ordinal);
        return plus > 0
            ? (untrustedArgument[..plus], untrustedArgument[(plus + 1)..])
            : throw QubesErrors.Protocol("device argument must have the form BACKEND+PORT");
    }

    private static string Line(LocalQube frontend, DeviceAssignment assignment)
    {
        StringBuilder line = new();
        line.Append(assignment.Backend).Append('+').Append(assignment.Port).Append(':').Append(assignment.DeviceId);
        AppendPair(line, "device_id", assignment.DeviceId);
        AppendPair(line, "port_id", assignment.Port);
        AppendPair(line, "devclass", assignment.DeviceClass);
        AppendPair(line, "backend_domain", assignment.Backend);
        AppendPair(line, "mode", assignment.Mode);
        AppendPair(line, "frontend_domain", frontend.Name);
        foreach ((string name, string value) in assignment.Options)
        {
            AppendPair(line, "_" + name, value);
        }

        return line.ToString();
    }

    // SP key='value', with ' inside the value written \'
    private static void AppendPair(StringBuilder line, string key, string value) =>
        line.Append(' ').Append(key).Append("='").Append(value.Replace("'", "\\'", StringComparison.Ordinal)).Append('\'');
}
