using Qubes.Admin.Methods.Families;
using Qubes.Model.Classes;

namespace Qubes.Admin.Methods;

/// <summary>The rows of the method table. To add a call: one row in its family, one handler, one test named after the call.</summary>
public static class AdminMethods
{
    /// <summary>All calls of this version.</summary>
    public static AdminMethodTable Table { get; } = new(
    [
        .. SystemMethods.Rows(),
        .. StateMethods.Rows(),
        .. ChangeMethods.Rows(),
        .. PropertyMethods.Rows(),
        .. QubeMethods.Rows(),
        .. FeatureMethods.Rows(),
        .. LabelMethods.Rows(),
        .. StorageMethods.Rows(),
        .. BackupMethods.Rows(),
        .. DeviceMethods.Rows(),
        .. FirewallMethods.Rows(),
        .. InternalMethods.Rows(),
        .. MiscMethods.Rows(),
    ]);

    /// <summary>The calls of a system: there are more with classes of qubes that extensions bring.</summary>
    public static AdminMethodTable For(QubeClassSet classes)
    {
        ArgumentNullException.ThrowIfNull(classes);
        return classes.Derived.Count == 0 ? Table : new AdminMethodTable([.. Table.All, .. classes.Derived.SelectMany(QubeMethods.OfClass)]);
    }

    /// <summary>Services that programs carry out with calls of the internal socket, because their data is too much for a request.</summary>
    public static IReadOnlyList<string> ProgramServices { get; } = ["admin.vm.volume.Import", "admin.vm.volume.ImportWithSize"];
}
