using Microsoft.Extensions.Logging;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;

namespace Qubes.Extensions;

/// <summary>What qubes that run Windows need to be different from others.</summary>
internal sealed class WindowsExtension
{
    private const string Windows = "Windows";
    private const int QrexecTimeoutSeconds = 6000;

    private readonly BuiltInExtensionOptions _options;

    private WindowsExtension(BuiltInExtensionOptions options) => _options = options;

    public static void Register(QubesApp app, BuiltInExtensionOptions options)
    {
        WindowsExtension extension = new(options);
        app.Events.On(EmitterClass.LocalVM, "features-request", extension.OnRequest);
        app.Events.OnAwaited(EmitterClass.QubesVM, "domain-create-on-disk", extension.OnCreatedAsync);
    }

    private void OnRequest(QubesEvent request)
    {
        LocalQube qube = (LocalQube)request.Subject;
        if (!FeaturesRequest.IsForTemplateOrStandalone(qube, _options.Log))
        {
            return;
        }

        IReadOnlyDictionary<string, string> untrusted = FeaturesRequest.UntrustedFeatures(request);
        string? system = untrusted.GetValueOrDefault("os");
        if (system is not (Windows or "Linux"))
        {
            return;
        }

        qube.Features.Set("os", system);
        if (system != Windows || untrusted.GetValueOrDefault("qrexec") != "1" || qube is not QubesVM vm)
        {
            return;
        }

        qube.Features.Set("rpc-clipboard", value: true);
        MemoryProperties.MaxMem.Set(vm, 0);
        QubesVMProperties.QrexecTimeout.Set(vm, QrexecTimeoutSeconds);
        SetIfAbsent(vm, "stubdom-qrexec", "1");
        SetIfAbsent(vm, "audio-model", "ich6");
        SetIfAbsent(vm, "timezone", "localtime");
        SetIfAbsent(vm, "no-monitor-layout", "1");
    }

    private static void SetIfAbsent(QubesVM qube, string feature, string value)
    {
        if (qube.Features.CheckWithTemplate(feature) is null)
        {
            qube.Features.Set(feature, value);
        }
    }

    /// <summary>Windows does not make itself a private volume: it gets a copy of the template's.</summary>
    private async Task OnCreatedAsync(QubesEvent created)
    {
        QubesVM qube = (QubesVM)created.Subject;
        if (qube.Template is not QubesVM template || template.Features.CheckWithTemplate("os") != Windows
            || _options.Lifecycle() is not { } lifecycle)
        {
            return;
        }

        if (lifecycle.StorageOf(qube).Volumes.FirstOrDefault(v => v.Name == "private") is { Config.SaveOnStop: true } own)
        {
            _options.Log.LogInformation("Windows template: {Qube} gets a copy of the private volume of {Template}", qube.Name, template.Name);
            await own.ImportVolumeAsync(lifecycle.StorageOf(template)["private"]);
        }
    }
}
