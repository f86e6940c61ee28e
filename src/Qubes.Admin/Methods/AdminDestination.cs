namespace Qubes.Admin.Methods;

/// <summary>Which qubes a call can be made on. Decided by the qube's class, not by its name.</summary>
public enum AdminDestination
{
    Any,

    /// <summary>Only the host itself.</summary>
    AdminVM,

    /// <summary>Anything but the host itself.</summary>
    NotAdminVM,
}
