namespace Qubes.Admin.Planning;

/// <summary>Sets a field of a volume that is only a setting; null returns to what its pool does. Only undoing makes such a step.</summary>
internal sealed record VolumeSettingStep(string Place, string UntrustedQube, string Volume, string Field, string? Value) : ChangeStep(Place, UntrustedQube);
