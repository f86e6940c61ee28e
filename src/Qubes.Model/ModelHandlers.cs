using Qubes.Model.Events;
using Qubes.Model.Handlers;

namespace Qubes.Model;

/// <summary>The handlers that belong to the classes themselves.</summary>
internal static class ModelHandlers
{
    public static void Register(EventHandlers events)
    {
        ApplicationHandlers.Register(events);
        QubeHandlers.Register(events);
        NetworkHandlers.Register(events);
        TemplateHandlers.Register(events);
        DisposableTemplateHandlers.Register(events);
        DisposableHandlers.Register(events);
        DeviceHandlers.Register(events);
    }
}
