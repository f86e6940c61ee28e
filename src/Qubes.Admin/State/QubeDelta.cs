using Qubes.Model.Classes;

namespace Qubes.Admin.State;

/// <summary>A qube that changed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Qube">Null: it is gone.</param>
/// <param name="Before">Null: it is new, or another one than the one of this name before.</param>
/// <param name="After">Null: it is gone.</param>
internal sealed record QubeDelta(string Name, Qube? Qube, StateFragment? Before, StateFragment? After);
