using Qubes.Client;
using Qubes.Protocol.Errors;

namespace Qvm.Tools.Running;

/// <summary>Runs the request in one qube: starts it if needed, chooses the service, waits for the GUI session, runs.</summary>
internal sealed class RunTarget(ToolContext context, RunRequest request, int verbosity)
{
    private static readonly ServiceStreams Silent = new(PassIo: false, LocalCommand: null, FilterOutput: false, FilterError: false, Wait: true);

    public async Task<int> RunAsync(string name, ServiceStreams streams)
    {
        Qube qube = context.App[name];
        bool gui = await WantsGuiAsync(qube);
        if (!await IsReadyAsync(qube))
        {
            return 1;
        }

        ServiceRunner runner = new(context);
        Say($"Running '{request.Command}' on {name}");
        if (gui)
        {
            string user = (await qube.GetPropertyAsync("default_user")).Raw;
            await runner.RunAsync(name, new ServiceCall("qubes.WaitForSession", user, request.User), Silent);
        }

        int status = await runner.RunAsync(name, await ServiceChoice.ForAsync(request, feature => qube.CheckFeatureWithTemplateAsync(feature)), streams);
        if (status != 0)
        {
            Say($"{name}: command failed with code: {status}");
        }

        return status;
    }

    private void Say(string text)
    {
        if (verbosity > 0)
        {
            context.Error.WriteLine(text);
        }
    }

    private async Task<bool> IsReadyAsync(Qube qube)
    {
        string state = await qube.GetPowerStateAsync();
        if (state == "Paused")
        {
            if (!request.Autostart)
            {
                Say($"Qube '{qube.Name}' is paused");
                return false;
            }

            try
            {
                await qube.UnpauseAsync();
            }
            catch (QubesException)
            {
                Say($"Qube '{qube.Name}' cannot be unpaused");
                return false;
            }

            return true;
        }

        if (state is "Halted" or "NA" && !request.Autostart)
        {
            Say($"Qube '{qube.Name}' not started");
            return false;
        }

        if (context.App.IsLocal && request.Autostart && state == "Halted")
        {
            try
            {
                await qube.StartAsync();
            }
            catch (QubesException e) when (e.Is(QubesErrorNames.VMNotHalted))
            {
                // Somebody else was quicker: it is what we want.
            }
        }

        return true;
    }

    private async Task<bool> WantsGuiAsync(Qube qube)
    {
        if (request.Gui is { } asked)
        {
            return asked;
        }

        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DISPLAY")))
        {
            return false;
        }

        return (await qube.GetPropertyAsync("guivm")).Raw.Length > 0 && await qube.CheckFeatureWithTemplateAsync("gui") != "";
    }
}
