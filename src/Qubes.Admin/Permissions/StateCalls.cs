using Qubes.Admin.Handlers;

namespace Qubes.Admin.Permissions;

/// <summary>
/// The calls that tell in parts what <c>admin.state.Get</c> tells as a whole. Who may see the whole must be allowed each of them.
/// </summary>
internal static class StateCalls
{
    /// <summary>With the qube as target.</summary>
    public static IReadOnlyList<string> OfQube { get; } =
    [
        "admin.vm.List", "admin.vm.property.GetAll", "admin.vm.feature.List", "admin.vm.feature.Get", "admin.vm.tag.List",
        .. DeviceHandlers.Classes.Select(c => $"admin.vm.device.{c}.Assigned"),
    ];

    /// <summary>With <c>@adminvm</c> as target.</summary>
    public static IReadOnlyList<string> OfSystem { get; } =
        ["admin.property.GetAll", "admin.label.List", "admin.label.Get", "admin.pool.List"];
}
