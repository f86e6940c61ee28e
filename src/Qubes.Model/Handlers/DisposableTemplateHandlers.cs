using Qubes.Model.Classes;
using Qubes.Model.Events;

namespace Qubes.Model.Handlers;

/// <summary>The role of a disposable template is not taken away while something relies on it, by setting or by resetting.</summary>
internal static class DisposableTemplateHandlers
{
    public static void Register(EventHandlers events)
    {
        EmitterClass level = EmitterClass.DVMTemplateMixin;
        events.On(level, DisposableTemplateProperties.TemplateForDispVMs.PreSetEvent, BeforeSet, own: true);
        events.On(level, DisposableTemplateProperties.TemplateForDispVMs.PreResetEvent, BeforeReset, own: true);
    }

    private static void BeforeSet(QubesEvent qubesEvent)
    {
        if (qubesEvent.Arguments["newvalue"] is false)
        {
            BeforeReset(qubesEvent);
        }
    }

    private static void BeforeReset(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (DisposableTemplateProperties.TemplateForDispVMs.Get(qube))
        {
            DisposableTemplateProperties.RefuseIfUsed(qube);
        }
    }
}
