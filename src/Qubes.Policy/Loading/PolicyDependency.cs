using Qubes.Linux;

namespace Qubes.Policy.Loading;

/// <summary>Something the loaded policy was made from, as it was just before it was looked at.</summary>
/// <param name="Path">The file or directory, also one that was looked for and not there.</param>
/// <param name="Stamp">Its state then.</param>
public readonly record struct PolicyDependency(string Path, FileStamp Stamp);
