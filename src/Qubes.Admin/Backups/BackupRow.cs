namespace Qubes.Admin.Backups;

/// <summary>A qube in the summary of a backup.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What is said of it: <c>VM</c>, <c>Template VM</c>, <c>User home</c>.</param>
/// <param name="Size">Bytes its data takes on disk.</param>
/// <param name="Remark">What to know before it is backed up; empty for nothing.</param>
internal sealed record BackupRow(string Name, string Kind, long Size, string Remark);
