using Microsoft.Extensions.Logging;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;

namespace Qubes.Extensions;

/// <summary>Qubes tell which features and services of qrexec they know: <c>supported-feature.NAME</c>, <c>supported-rpc.NAME</c>.</summary>
internal static class SupportedFeaturesExtension
{
    public static void Register(QubesApp app, ILogger log) => app.Events.On(EmitterClass.LocalVM, "features-request", request =>
    {
        if (FeaturesRequest.IsForTemplateOrStandalone((LocalQube)request.Subject, log))
        {
            FeaturesRequest.Advertise(request, "supported-feature.");
        }

        // A qube may have services of its own beside its template's.
        FeaturesRequest.Advertise(request, "supported-rpc.");
    });
}
