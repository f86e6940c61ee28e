namespace Qubes.Admin.State;

/// <summary>What one refresh found changed.</summary>
/// <param name="Qubes">By name.</param>
/// <param name="SystemBefore">Null if the system did not change.</param>
internal sealed record StateDelta(IReadOnlyList<QubeDelta> Qubes, StateFragment? SystemBefore)
{
    public bool IsEmpty => Qubes.Count == 0 && SystemBefore is null;
}
