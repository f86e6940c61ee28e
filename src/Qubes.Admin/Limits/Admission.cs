namespace Qubes.Admin.Limits;

/// <summary>Whether a call may be made now.</summary>
/// <param name="Delay">How long to wait before it is carried out or refused.</param>
/// <param name="Refusal">Why it is refused; null if it is not.</param>
internal readonly record struct Admission(TimeSpan Delay, string? Refusal)
{
    /// <summary>At once.</summary>
    public bool IsFree => Delay == TimeSpan.Zero && Refusal is null;
}
