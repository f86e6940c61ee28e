namespace Qubes.Admin.Planning;

/// <summary>Sets an option of a pool to the store's text for it. Only undoing makes such a step.</summary>
internal sealed record PoolSettingStep(string Place, string Pool, string Option, string Value) : ChangeStep(Place, "");
