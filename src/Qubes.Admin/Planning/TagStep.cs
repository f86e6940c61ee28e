namespace Qubes.Admin.Planning;

/// <summary>Adds a tag or removes it; it may be so already.</summary>
internal sealed record TagStep(string Place, string UntrustedQube, string UntrustedName, bool IsSet) : ChangeStep(Place, UntrustedQube);
