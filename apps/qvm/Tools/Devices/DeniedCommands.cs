using Qubes.Client;
using Qubes.Protocol.Devices;
using Qvm.CommandLine;

namespace Qvm.Tools.Devices;

/// <summary>Deny and allow: which interfaces of devices nobody may attach to a qube by hand.</summary>
internal static class DeniedCommands
{
    /// <summary>Without interfaces: lists those that are denied.</summary>
    public static async Task<int> DenyAsync(ToolContext context, IReadOnlyList<string> words)
    {
        Qube qube = await QubeAsync(context, words);
        if (words.Count > 1)
        {
            await qube.CallAsync("admin.vm.device.denied.Add", payload: Codes(words));
            return 0;
        }

        foreach (DeviceInterface denied in await qube.ListDeniedInterfacesAsync())
        {
            await context.Out.WriteLineAsync($"{denied}  {DeviceCategory.Of(denied)}");
        }

        return 0;
    }

    public static async Task<int> AllowAsync(ToolContext context, IReadOnlyList<string> words)
    {
        Qube qube = await QubeAsync(context, words);
        if (words.Count < 2)
        {
            throw new UsageException("the following arguments are required: INTERFACE");
        }

        await qube.CallAsync("admin.vm.device.denied.Remove", payload: words is [_, "all"] ? "all" : Codes(words));
        return 0;
    }

    private static async Task<Qube> QubeAsync(ToolContext context, IReadOnlyList<string> words) => words.Count == 0
        ? throw new UsageException("the following arguments are required: VMNAME")
        : context.App[(await QubeSelection.OneAsync(context.App, words[0])).Name];

    private static string Codes(IReadOnlyList<string> words)
    {
        string[] codes = [.. words.Skip(1).Distinct(StringComparer.Ordinal)];
        return Array.Find(codes, c => c.Length != DeviceInterface.Length) is { } wrong
            ? throw new UsageException($"an interface has seven characters: '{wrong}'")
            : string.Concat(codes);
    }
}
