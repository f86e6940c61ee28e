using System.Globalization;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Network;

namespace Qubes.Extensions;

/// <summary>
/// What the agents inside templates and standalone qubes tell of the system there, and the feature that shows a qube that gives
/// network to others as a service qube.
/// </summary>
internal sealed class CoreFeaturesExtension
{
    private const string ServiceFeature = "servicevm";
    private const string Qrexec = "qrexec";
    private const int MaxTextLength = 256;

    /// <summary>The qube may switch these on or off only as long as nobody else has.</summary>
    private static readonly string[] SetOnce = [Qrexec, "gui", "gui-emulated"];

    private static readonly string[] SetFreely = ["qubes-firewall", "vmexec"];

    private readonly ILogger _log;

    private CoreFeaturesExtension(ILogger log) => _log = log;

    public static void Register(QubesApp app, ILogger log)
    {
        CoreFeaturesExtension extension = new(log);
        app.Events.On(EmitterClass.LocalVM, NetworkProperties.ProvidesNetwork.SetEvent, AfterProvidesNetwork);
        app.Events.On(EmitterClass.LocalVM, NetworkProperties.ProvidesNetwork.ResetEvent, AfterProvidesNetwork);
        app.Events.OnAwaited(EmitterClass.LocalVM, "features-request", extension.OnRequestAsync);
    }

    private static void AfterProvidesNetwork(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (qube.ProvidesNetwork)
        {
            qube.Features.Set(ServiceFeature, value: true);
        }
        else if (qube.Features.Contains(ServiceFeature))
        {
            qube.Features.Remove(ServiceFeature);
        }
        else
        {
            return;
        }

        qube.Fire(QubeProperties.Icon.ResetEvent, EventArguments.Of("name", QubeProperties.Icon.Name));
    }

    private async Task OnRequestAsync(QubesEvent request)
    {
        LocalQube qube = (LocalQube)request.Subject;
        if (!FeaturesRequest.IsForTemplateOrStandalone(qube, _log))
        {
            return;
        }

        IReadOnlyDictionary<string, string> untrusted = FeaturesRequest.UntrustedFeatures(request);
        DescribeSystem(qube, untrusted);
        BootModes.Take(qube, untrusted);
        if (untrusted.GetValueOrDefault("anon-timezone") == "1")
        {
            // Who wants to hide the time zone cannot be made to show it again from inside.
            qube.Features.Set("anon-timezone", value: true);
        }

        bool hadQrexec = qube.Features.IsTrue(Qrexec);
        foreach (string feature in SetOnce.Where(f => !qube.Features.Contains(f)))
        {
            SetFlag(qube, feature, untrusted);
        }

        foreach (string feature in SetFreely)
        {
            SetFlag(qube, feature, untrusted);
        }

        if (!hadQrexec && qube.Features.IsTrue(Qrexec))
        {
            // The first word of a new template: what was waiting for it can be finished.
            await qube.FireAsync("template-postinstall");
        }
    }

    private static void SetFlag(LocalQube qube, string feature, IReadOnlyDictionary<string, string> untrusted)
    {
        if (untrusted.GetValueOrDefault(feature) is ("0" or "1") and var value)
        {
            qube.Features.Set(feature, value == "1");
        }
    }

    private void DescribeSystem(LocalQube qube, IReadOnlyDictionary<string, string> untrusted)
    {
        SetChecked(qube, "os-distribution", untrusted, static value => value.Length <= MaxTextLength);
        SetChecked(qube, "os-distribution-like", untrusted, static value => value.Length <= MaxTextLength);
        SetChecked(qube, "os-version", untrusted, static value =>
            value.Length <= MaxTextLength && char.IsAsciiDigit(value[0]) && value.All(c => char.IsAsciiDigit(c) || c is '.' or '-'));
        SetChecked(qube, "os-eol", untrusted, static value =>
            DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _));
        SetChecked(qube, "qubes-agent-version", untrusted, static value => value.Split('.') is [var major, var minor] && IsNumber(major) && IsNumber(minor));
    }

    private static bool IsNumber(string text) => text.Length is >= 1 and <= 3 && text.All(char.IsAsciiDigit);

    private void SetChecked(LocalQube qube, string feature, IReadOnlyDictionary<string, string> untrusted, Func<string, bool> isValid)
    {
        if (untrusted.GetValueOrDefault(feature) is not { Length: > 0 } value)
        {
            return;
        }

        if (isValid(value))
        {
            qube.Features.Set(feature, value);
        }
        else
        {
            _log.LogWarning("{Qube} asks for an invalid {Feature}: {Value}", qube.Name, feature, LogText.Escape(value));
        }
    }
}
