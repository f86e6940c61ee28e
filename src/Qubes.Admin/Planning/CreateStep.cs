namespace Qubes.Admin.Planning;

/// <summary>Makes the qube.</summary>
internal sealed record CreateStep(
    string Place, string UntrustedQube, string UntrustedClass, string? UntrustedTemplate, string UntrustedLabel, string? UntrustedPool)
    : ChangeStep(Place, UntrustedQube);
