using Qubes.Admin.State;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Properties;
using Qubes.Protocol.Events;

namespace Qubes.Admin.Calls;

/// <summary>The items of listing calls by name, for filters that know nothing else.</summary>
internal static class AdminItem
{
    /// <summary>A qube's, property's, pool's… name; of an event its subject's; empty for the application.</summary>
    public static string NameOf(object item) => item switch
    {
        string text => text,
        Qube qube => qube.Name,
        QubeSection section => section.Qube.Name,
        QubesApp => "",
        QubesEvent happened => happened.Subject.SubjectText,
        PropertyDefinition property => property.Name,
        IEventValue known => known.EventText,
        _ => item.ToString() ?? "",
    };
}
