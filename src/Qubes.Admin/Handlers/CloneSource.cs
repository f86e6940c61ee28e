using Qubes.Model.Classes;

namespace Qubes.Admin.Handlers;

/// <summary>The volume a clone token stands for. By the time the token is used it may be gone, or be another.</summary>
/// <param name="Qube">Whose volume.</param>
/// <param name="VolumeName">Its name within the qube.</param>
/// <param name="Identity">Its pool and id when the token was made.</param>
public sealed record CloneSource(QubesVM Qube, string VolumeName, string Identity);
