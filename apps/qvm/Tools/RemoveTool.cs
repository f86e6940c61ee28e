using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-remove</c></summary>
internal sealed class RemoveTool : ITool
{
    private static readonly string[] GlobalReferences =
    [
        "default_dispvm", "default_netvm", "default_guivm", "default_audiovm", "default_template", "clockvm", "updatevm",
        "management_dispvm",
    ];

    private static readonly string[] QubeReferences =
        ["template", "netvm", "guivm", "audiovm", "default_dispvm", "management_dispvm"];

    public string Name => "qvm-remove";

    public string Summary => "remove a domain with all its data";

    public void Define(ArgumentParser parser)
    {
        QubeSelection.DefineMany(parser);
        parser.Flag("--force -f", "force", "do not prompt for confirmation");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        IReadOnlyList<QubeInfo> qubes = await QubeSelection.ManyAsync(context.App, arguments);
        if (qubes.Any(q => q.Class == "AdminVM"))
        {
            throw new ToolException("Domain 'dom0' cannot be removed.");
        }

        if (!arguments.Has("force") && !await IsConfirmedAsync(context, qubes, arguments.Has("all") && !arguments.Has("exclude")))
        {
            context.Error.WriteLine("Remove cancelled.");
            return 1;
        }

        foreach (QubeInfo info in qubes)
        {
            try
            {
                await context.App[info.Name].RemoveAsync();
            }
            catch (QubesException e) when (e.Is(QubesErrorNames.VMInUse))
            {
                await ExplainUsesAsync(context, info.Name);
                throw;
            }
        }

        return 0;
    }

    private static async Task<bool> IsConfirmedAsync(ToolContext context, IReadOnlyList<QubeInfo> qubes, bool everything)
    {
        if (everything)
        {
            context.Error.WriteLine("WARNING: this removes all qubes of this system!");
            if (await context.AskAsync("Are you certain? [N/IKNOWWHATIAMDOING] ") != "IKNOWWHATIAMDOING")
            {
                return false;
            }
        }

        context.Error.WriteLine("This will completely remove the selected VM(s)...");
        foreach (QubeInfo qube in qubes)
        {
            await context.Out.WriteLineAsync($"  {qube.Name}");
        }

        return await context.AskAsync("Are you sure? [y/N] ") is "y" or "Y";
    }

    private static async Task ExplainUsesAsync(ToolContext context, string name)
    {
        List<string> uses = [];
        IReadOnlyDictionary<string, PropertyValue> globals = await context.App.GetPropertiesAsync();
        uses.AddRange(GlobalReferences.Where(p => globals.GetValueOrDefault(p)?.Raw == name).Select(p => $" - global property {p}"));
        foreach (QubeInfo other in (await context.App.ListQubesAsync()).Where(q => q.Name != name))
        {
            IReadOnlyDictionary<string, PropertyValue> values = await context.App[other.Name].GetPropertiesAsync();
            uses.AddRange(QubeReferences.Where(p => values.GetValueOrDefault(p) is { IsDefault: false } v && v.Raw == name)
                .Select(p => $" - {p} for {other.Name}"));
        }

        if (uses.Count > 0)
        {
            context.Error.WriteLine($"VM {name} cannot be removed. It is in use as:");
            uses.ForEach(context.Error.WriteLine);
        }
    }
}
