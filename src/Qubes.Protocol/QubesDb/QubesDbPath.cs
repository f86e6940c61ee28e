using System.Buffers;

namespace Qubes.Protocol.QubesDb;

/// <summary>
/// The rules for paths: at most 63 bytes, starting with <c>/</c>, of ASCII letters, digits and <c>-_/.:@</c>. In requests that
/// name a part of the tree, a path that ends in <c>/</c> stands for what is below it, without the entry of that name.
/// </summary>
public static class QubesDbPath
{
    /// <summary>In bytes; the wire has room for one more, which is zero.</summary>
    public const int MaxLength = 63;

    private static readonly SearchValues<byte> Bytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.:@"u8);

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/.:@");

    /// <summary>A path or a part of the tree.</summary>
    public static bool IsValid(ReadOnlySpan<char> untrustedPath) =>
        untrustedPath.Length is > 0 and <= MaxLength && untrustedPath[0] == '/' && !untrustedPath.ContainsAnyExcept(Characters);

    /// <inheritdoc cref="IsValid(ReadOnlySpan{char})"/>
    public static bool IsValid(ReadOnlySpan<byte> untrustedPath) =>
        untrustedPath.Length is > 0 and <= MaxLength && untrustedPath[0] == (byte)'/' && !untrustedPath.ContainsAnyExcept(Bytes);

    /// <summary>A path an entry can have: it does not end in <c>/</c>.</summary>
    public static bool IsEntry(ReadOnlySpan<char> untrustedPath) => IsValid(untrustedPath) && !untrustedPath.EndsWith('/');

    /// <summary>Whether a watch on <paramref name="watched"/> (with a final <c>/</c>: on what is below it) tells of <paramref name="path"/>.</summary>
    public static bool Covers(string watched, string path) =>
        watched.EndsWith('/') ? path.StartsWith(watched, StringComparison.Ordinal) : path == watched;
}
