namespace Qubes.Admin.State;

/// <summary>One told change of the state, kept for those who come back.</summary>
/// <param name="Number">Its position's number.</param>
/// <param name="Messages">What a caller who sees everything is sent for it.</param>
/// <param name="Qubes">The names of the qubes it is about.</param>
/// <param name="IsSystem">It is also about the system.</param>
internal sealed record StateEntry(long Number, byte[] Messages, string[] Qubes, bool IsSystem);
