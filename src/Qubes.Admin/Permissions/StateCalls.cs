using Qubes.Admin.Handlers;
using Qubes.Admin.State;

namespace Qubes.Admin.Permissions;

/// <summary>
/// The calls that tell in parts what <c>admin.state.Get</c> tells as a whole. Who may see a section must be allowed each of them.
/// </summary>
internal static class StateCalls
{
    private static readonly string[] OfBase =
        ["admin.vm.List", "admin.vm.property.GetAll", "admin.vm.feature.List", "admin.vm.feature.Get", "admin.vm.tag.List"];

    private static readonly string[] OfDevices = [.. DeviceHandlers.Classes.Select(c => $"admin.vm.device.{c}.Assigned")];
    private static readonly string[] OfAttached = [.. DeviceHandlers.Classes.Select(c => $"admin.vm.device.{c}.Attached")];
    private static readonly string[] OfFirewall = ["admin.vm.firewall.Get"];
    private static readonly string[] OfNotes = ["admin.vm.notes.Get"];

    /// <summary>With <c>@adminvm</c> as target.</summary>
    public static IReadOnlyList<string> OfSystem { get; } =
        ["admin.property.GetAll", "admin.label.List", "admin.label.Get", "admin.pool.List"];

    /// <summary>With the qube as target.</summary>
    /// <param name="section">A single one.</param>
    public static IReadOnlyList<string> Of(QubeSections section) => section switch
    {
        QubeSections.Base => OfBase,
        QubeSections.Devices => OfDevices,
        QubeSections.Attached => OfAttached,
        QubeSections.Firewall => OfFirewall,
        QubeSections.Notes => OfNotes,
        _ => throw new ArgumentOutOfRangeException(nameof(section)),
    };
}
