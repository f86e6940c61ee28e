using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Network;

namespace Qubes.Extensions;

/// <summary>A qube that gives network to others is shown as a service qube.</summary>
internal static class CoreFeaturesExtension
{
    private const string ServiceFeature = "servicevm";

    public static void Register(QubesApp app)
    {
        app.Events.On(EmitterClass.LocalVM, NetworkProperties.ProvidesNetwork.SetEvent, AfterProvidesNetwork);
        app.Events.On(EmitterClass.LocalVM, NetworkProperties.ProvidesNetwork.ResetEvent, AfterProvidesNetwork);
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
}
