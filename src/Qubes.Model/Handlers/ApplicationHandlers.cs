using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Features;
using Qubes.Model.Network;
using Qubes.Model.Properties;

namespace Qubes.Model.Handlers;

/// <summary>What the application does when its own properties and its qubes change.</summary>
internal static class ApplicationHandlers
{
    private const string ClockFeature = "service.clocksync";

    private static readonly PropertyDefinition[] ResetWithQube =
    [
        QubesAppProperties.DefaultGuiVM, QubesAppProperties.DefaultNetVM, QubesAppProperties.ClockVM, QubesAppProperties.UpdateVM,
        QubesAppProperties.DefaultTemplate,
    ];

    public static void Register(EventHandlers events)
    {
        events.On(EmitterClass.Qubes, "domain-pre-delete", RefuseIfUsed, own: true);
        events.On(EmitterClass.Qubes, "domain-delete", ResetReferences, own: true);
        events.On(EmitterClass.Qubes, QubesAppProperties.ClockVM.PreSetEvent, BeforeClockVM, own: true);
        events.On(EmitterClass.Qubes, QubesAppProperties.ClockVM.SetEvent, AfterClockVM, own: true);
        events.On(EmitterClass.Qubes, QubesAppProperties.DefaultNetVM.PreSetEvent, BeforeDefaultNetVM, own: true);
        events.On(EmitterClass.Qubes, QubesAppProperties.DefaultNetVM.SetEvent, AfterDefaultNetVM, own: true);
        events.On(EmitterClass.Qubes, QubesAppProperties.DefaultDispVM.SetEvent, AnnounceDefaultDispVM, own: true);
        events.On(EmitterClass.Qubes, QubesAppProperties.DefaultDispVM.ResetEvent, AnnounceDefaultDispVM, own: true);
        events.On(EmitterClass.Qubes, QubesAppProperties.DefaultKernel.PreSetEvent, BeforeDefaultKernel, own: true);
    }

    private static void RefuseIfUsed(QubesEvent qubesEvent) => QubeDependencies.RefuseIfUsed((Qube)qubesEvent.Arguments["vm"]!);

    private static void ResetReferences(QubesEvent qubesEvent)
    {
        object? removed = qubesEvent.Arguments["vm"];
        QubesApp app = qubesEvent.Subject.App;
        foreach (PropertyDefinition property in ResetWithQube)
        {
            if (property.TryGetObject(app, out object? value) && value is not null && value == removed)
            {
                property.Reset(app);
            }
        }
    }

    private static void BeforeClockVM(QubesEvent qubesEvent)
    {
        if (qubesEvent.Arguments["newvalue"] is Qube qube && !qube.Features.Contains(ClockFeature))
        {
            qube.Features.Set(ClockFeature, QubeFeatures.True);
        }
    }

    private static void AfterClockVM(QubesEvent qubesEvent)
    {
        if (qubesEvent.Arguments["oldvalue"] is Qube old && old != qubesEvent.Arguments["newvalue"] && old.Features.IsTrue(ClockFeature))
        {
            old.Features.Remove(ClockFeature);
        }
    }

    private static void BeforeDefaultNetVM(QubesEvent qubesEvent)
    {
        EventArguments arguments = EventArguments.Of(
            ("name", NetworkProperties.NetVM.Name),
            ("newvalue", qubesEvent.Arguments["newvalue"]),
            ("oldvalue", qubesEvent.Arguments["oldvalue"]));
        foreach (QubesVM qube in FollowersOfDefaultNetVM(qubesEvent.Subject.App))
        {
            qube.FirePre(NetworkProperties.NetVM.PreSetEvent, arguments);
        }
    }

    private static void AfterDefaultNetVM(QubesEvent qubesEvent)
    {
        EventArguments arguments = EventArguments.Of(
            ("name", NetworkProperties.NetVM.Name), ("oldvalue", qubesEvent.Arguments["oldvalue"]));
        foreach (QubesVM qube in FollowersOfDefaultNetVM(qubesEvent.Subject.App))
        {
            qube.Fire(NetworkProperties.NetVM.ResetEvent, arguments);
        }
    }

    // Templates are left out: their default is no network, whatever the global one is.
    private static QubesVM[] FollowersOfDefaultNetVM(QubesApp app) =>
        [.. app.Domains.OfType<QubesVM>().Where(qube => qube is not TemplateVM && !NetworkProperties.NetVM.IsExplicit(qube))];

    private static void AnnounceDefaultDispVM(QubesEvent qubesEvent)
    {
        EventArguments arguments = EventArguments.Of(
            ("name", QubesVMProperties.DefaultDispVM.Name), ("oldvalue", qubesEvent.Arguments["oldvalue"]));
        foreach (Qube qube in qubesEvent.Subject.App.Domains.ToArray())
        {
            if (qube.Properties.TryFind(QubesVMProperties.DefaultDispVM.Name, out PropertyDefinition? property) && !property.IsExplicit(qube))
            {
                qube.Fire(property.ResetEvent, arguments);
            }
        }
    }

    private static void BeforeDefaultKernel(QubesEvent qubesEvent) =>
        PropertyRules.InstalledKernel(qubesEvent.Subject.App.Host, qubesEvent.Arguments["newvalue"] as string);
}
