namespace Qubes.Admin.Planning;

/// <summary>Sets a feature, or with null removes it; one that is not there may be removed.</summary>
internal sealed record FeatureStep(string Place, string UntrustedQube, string UntrustedName, string? UntrustedValue)
    : ChangeStep(Place, UntrustedQube);
