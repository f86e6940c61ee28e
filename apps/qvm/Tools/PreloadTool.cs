using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qubes-preload-dispvm</c>, which the host runs at boot</summary>
internal sealed class PreloadTool : ITool
{
    private const string Max = "preload-dispvm-max";

    public string Name => "qubes-preload-dispvm";

    public string Summary => "start the disposables that templates are to keep ready";

    public void Define(ArgumentParser parser)
    {
        // It takes nothing: what is wanted is told by features.
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        string ofDefault = (await context.App.GetPropertyAsync("default_dispvm")).Raw;
        string? global = await context.App["dom0"].GetFeatureAsync(Max);
        int status = 0;
        foreach (QubeInfo info in (await context.App.ListQubesAsync()).Where(info => info.Class == "AppVM"))
        {
            Qube qube = context.App[info.Name];

            // dom0's number is that of the default template, and comes before the template's own.
            string? wanted = info.Name == ofDefault && global is not null ? global : await qube.GetFeatureAsync(Max);
            if (string.IsNullOrEmpty(wanted) || wanted == "0" || !(await qube.GetPropertyAsync("template_for_dispvms")).AsBool)
            {
                continue;
            }

            context.Say($"Starting disposables of {info.Name}");
            try
            {
                await qube.CallAsync("admin.vm.CreateDisposable", "preload");
            }
            catch (QubesException e)
            {
                context.PrintError($"Disposables of {info.Name} could not be started: {e.Message}");
                status = 1;
            }
        }

        return status;
    }
}
