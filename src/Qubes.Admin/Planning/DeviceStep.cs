using Qubes.Protocol.Devices;

namespace Qubes.Admin.Planning;

/// <summary>
/// Assigns a device in this mode with these options, whether it is not assigned yet or otherwise, or with null as mode takes the assignment
/// away; there may be none.
/// </summary>
internal sealed record DeviceStep(
    string Place, string UntrustedQube, VirtualDevice Device, string? UntrustedMode, IReadOnlyList<KeyValuePair<string, string>> UntrustedOptions)
    : ChangeStep(Place, UntrustedQube);
