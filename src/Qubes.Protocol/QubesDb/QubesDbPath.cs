using System.Buffers;

namespace Qubes.Protocol.QubesDb;

/// <summary>
/// The rules for paths: at most 63 bytes of ASCII letters, digits and <c>-_/.:@</c>, starting with <c>/</c>. In requests that
/// name a part of the tree, a path that ends in <c>/</c> stands for what is below it, without the entry of that name.
/// </summary>
public static class QubesDbPath
{
    /// <summary>In bytes; the wire has room for one more, which is zero.</summary>
    public const int MaxLength = 63;

    private const string Allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.:@";

    private static readonly SearchValues<char> Characters = SearchValues.Create(Allowed);

    /// <summary>A path or a part of the tree.</summary>
    public static bool IsValid(ReadOnlySpan<char> untrustedPath) =>
        untrustedPath.Length > 0 && untrustedPath[0] == '/' && IsPrefix(untrustedPath);

    /// <summary>A path an entry can have: it does not end in <c>/</c>.</summary>
    public static bool IsEntry(ReadOnlySpan<char> untrustedPath) => IsValid(untrustedPath) && !untrustedPath.EndsWith('/');

    /// <summary>What any message may carry: the beginning of a path, even empty, or something no path begins with.</summary>
    public static bool IsPrefix(ReadOnlySpan<char> untrustedPath) =>
        untrustedPath.Length <= MaxLength && !untrustedPath.StartsWith('-') && !untrustedPath.ContainsAnyExcept(Characters);

    /// <summary>
    /// Whether a watch on <paramref name="watched"/> (with a final <c>/</c>: on what is below it) tells of a change of <paramref name="path"/>.
    /// </summary>
    public static bool Covers(string watched, string path) =>
        watched.EndsWith('/') ? path.StartsWith(watched, StringComparison.Ordinal) : path == watched;
}
