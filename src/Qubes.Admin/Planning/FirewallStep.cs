namespace Qubes.Admin.Planning;

/// <summary>Replaces the firewall rules, or with null returns to those of a qube that has none of its own.</summary>
internal sealed record FirewallStep(string Place, string UntrustedQube, IReadOnlyList<string>? UntrustedRules) : ChangeStep(Place, UntrustedQube);
