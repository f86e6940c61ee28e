namespace Qubes.Model.Classes;

/// <summary>A qube's power state; the names are those of the Admin API.</summary>
public enum PowerState
{
    Halted,

    /// <summary>Active, but not yet fully usable (or starting).</summary>
    Transient,
    Running,
    Paused,
    Suspended,
    Halting,
    Dying,
    Crashed,
}
