using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;

namespace Qubes.Model.Classes;

/// <summary>Properties that dom0 and the other qubes of this host have in the same form.</summary>
public static class LocalQubeProperties
{
    public static readonly PropertyDefinition<LocalQube, string?> DevicesDenied = new("devices_denied", TextType.Instance)
    {
        Default = PropertyDefault.Constant<string?>(""),
        Setter = static (_, value) => PropertyRules.DeniedInterfaces(value),
        Help = "Device interfaces that may not be attached to the qube, seven characters each, without separators.",
    };

    public static readonly PropertyDefinition<LocalQube, bool> IncludeInBackups = new("include_in_backups", BoolType.Instance)
    {
        Default = PropertyDefault.Of<LocalQube, bool>(static qube => qube.IncludeInBackupsDefault),
        Help = "The qube is part of backups unless excluded by hand.",
    };
}
