namespace Qubes.Store.Files;

/// <summary>What becomes of one file of a qube with a commit.</summary>
/// <param name="Path">Relative to the directory of the state, such as <c>appvms/work/firewall.xml</c>.</param>
/// <param name="Content">The new content; null: the file goes.</param>
/// <param name="Mode">Its mode; the group is <c>qubes</c> where there is that group.</param>
public sealed record FileChange(string Path, ReadOnlyMemory<byte>? Content, UnixFileMode Mode);
