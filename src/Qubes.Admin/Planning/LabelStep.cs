namespace Qubes.Admin.Planning;

/// <summary>Makes a label of this colour, or with null removes it; one that is not there may be removed.</summary>
internal sealed record LabelStep(string Place, string UntrustedName, string? UntrustedColor) : ChangeStep(Place, "");
