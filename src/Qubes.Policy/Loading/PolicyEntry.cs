namespace Qubes.Policy.Loading;

/// <summary>An entry of a directory.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsFile">True for a regular file, or a link that leads to one.</param>
public readonly record struct PolicyEntry(string Name, bool IsFile);
