namespace Qubes.Admin.Planning;

/// <summary>Sets a property to the payload's text, or with null returns it to its default.</summary>
internal sealed record PropertyStep(string Place, string UntrustedQube, string UntrustedName, string? UntrustedValue)
    : ChangeStep(Place, UntrustedQube);
