using System.Globalization;
using System.Runtime.InteropServices;
using Qubes.Client;
using Qubes.Protocol.Errors;

namespace Qvm.Tools.Running;

/// <summary>
/// Runs the request in a disposable made for it, and lets nothing of that remain. From dom0 it is made, started and killed by calls of the
/// Admin API; from a qube, the call to <c>@dispvm</c> has qrexec do all that.
/// </summary>
internal sealed class DisposableTarget(ToolContext context, RunRequest request, int verbosity)
{
    private const string Keyword = "@dispvm";

    /// <summary>How the target is called, in messages and by qrexec.</summary>
    public static string NameOf(string? template) => template is null ? Keyword : $"{Keyword}:{template}";

    /// <param name="template">The disposable's template, or null for the default one.</param>
    /// <param name="streams">How its standard streams are connected.</param>
    public async Task<int> RunAsync(string? template, ServiceStreams streams)
    {
        string name = NameOf(template);
        Qube asked = await TemplateAsync(template);
        ServiceCall call = await ServiceChoice.ForAsync(request, feature => FeatureAsync(asked, feature), await WantsGuiAsync(asked));
        Say($"Running '{request.Command}' on {name}");
        int status = context.App.IsLocal
            ? await RunHereAsync(template, asked, call, streams)
            : await new ServiceRunner(context).RunAsync(name, call, streams);
        if (status != 0)
        {
            Say($"{name}: command failed with code: {status}");
        }

        return status;
    }

    private async Task<int> RunHereAsync(string? template, Qube asked, ServiceCall call, ServiceStreams streams)
    {
        // The disposable would stay if Ctrl-C ended us: the command gets the signal by itself, and then we clean up.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
        int patience = int.Parse((await asked.GetPropertyAsync("qrexec_timeout")).Raw, CultureInfo.InvariantCulture);
        Qube disposable = await context.App.CreateDisposableAsync(template);
        try
        {
            await disposable.StartAsync();
            return await new ServiceRunner(context).RunAsync(disposable.Name, call, streams, patience);
        }
        finally
        {
            await EndAsync(disposable);
        }
    }

    private static async Task EndAsync(Qube disposable)
    {
        try
        {
            await disposable.KillAsync();
        }
        catch (QubesException e) when (e.Is(QubesErrorNames.VMNotFound) || e.Is(QubesErrorNames.VMNotStarted))
        {
            // It has ended by itself, and is gone.
        }
    }

    private async Task<Qube> TemplateAsync(string? template)
    {
        if (template is not null)
        {
            return context.App[template];
        }

        Qube self = context.App[context.App.IsLocal ? "dom0" : LocalName()];
        try
        {
            string found = (await self.GetPropertyAsync("default_dispvm")).Raw;
            return context.App[found.Length > 0 ? found : throw new QubesException("there is no default template of disposables")];
        }
        catch (QubesException) when (!context.App.IsLocal)
        {
            // Most qubes may not ask. What its template can do is then taken to be the ordinary.
            return self;
        }
    }

    private static string LocalName() => Environment.MachineName;

    private async Task<bool> WantsGuiAsync(Qube template)
    {
        if (request.Gui is { } asked)
        {
            return asked;
        }

        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DISPLAY")))
        {
            return false;
        }

        try
        {
            return (await template.GetPropertyAsync("guivm")).Raw.Length > 0 && await FeatureAsync(template, "gui") != "";
        }
        catch (QubesException) when (!context.App.IsLocal)
        {
            return false;
        }
    }

    private async ValueTask<string?> FeatureAsync(Qube template, string feature)
    {
        try
        {
            return await template.CheckFeatureWithTemplateAsync(feature);
        }
        catch (QubesException) when (!context.App.IsLocal)
        {
            return null;
        }
    }

    private void Say(string text)
    {
        if (verbosity > 0)
        {
            context.Error.WriteLine(text);
        }
    }
}
