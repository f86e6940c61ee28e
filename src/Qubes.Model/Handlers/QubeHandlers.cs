using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;

namespace Qubes.Model.Handlers;

/// <summary>What every qube that runs does when its own properties and features change.</summary>
internal static class QubeHandlers
{
    public static void Register(EventHandlers events)
    {
        events.On(EmitterClass.QubesVM, BootProperties.Kernel.PreSetEvent, BeforeKernel, own: true);
        events.On(EmitterClass.QubesVM, MemoryProperties.MaxMem.PreSetEvent, BeforeMaxMem, own: true);
        events.On(EmitterClass.QubesVM, QubeProperties.Label.SetEvent, AnnounceIcon, own: true);
        events.On(EmitterClass.QubesVM, DisposableTemplateProperties.TemplateForDispVMs.SetEvent, AnnounceIcon, own: true);
        events.On(EmitterClass.QubesVM, "domain-feature-set:boot-mode.active", AfterActiveBootMode, own: true);
    }

    /// <summary>Tells that a default or computed value changed.</summary>
    internal static void Announce(Qube qube, PropertyDefinition property) =>
        qube.Fire(property.ResetEvent, EventArguments.Of("name", property.Name));

    private static void BeforeKernel(QubesEvent qubesEvent) =>
        PropertyRules.InstalledKernel(qubesEvent.Subject.App.Host, qubesEvent.Arguments["newvalue"] as string);

    private static void BeforeMaxMem(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (!Equals(qubesEvent.Arguments["newvalue"], qubesEvent.Arguments["oldvalue"])
            && !qube.IsHalted && !MemoryProperties.UsesHotplug(qube))
        {
            throw QubesErrors.VMNotHalted(qube.Name, "Cannot change maxmem of running qube without memory hotplug support");
        }
    }

    private static void AnnounceIcon(QubesEvent qubesEvent) => Announce((Qube)qubesEvent.Subject, QubeProperties.Icon);

    private static void AfterActiveBootMode(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (!Equals(qubesEvent.Arguments["value"], qubesEvent.Arguments["oldvalue"]) && !BootProperties.BootMode.IsExplicit(qube))
        {
            Announce(qube, BootProperties.BootMode);
        }
    }
}
