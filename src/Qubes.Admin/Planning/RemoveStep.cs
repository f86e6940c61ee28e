namespace Qubes.Admin.Planning;

/// <summary>Removes the qube with its data.</summary>
internal sealed record RemoveStep(string Place, string UntrustedQube) : ChangeStep(Place, UntrustedQube);
