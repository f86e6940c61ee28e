namespace Qubes.Qrexec.Daemon;

/// <summary>The ways a target is written in decisions and requests.</summary>
internal static class TargetName
{
    public const string DisposablePrefix = "@dispvm:";
    private const string UuidPrefix = "uuid:";
    private const string NilUuid = "uuid:00000000-0000-0000-0000-000000000000";

    /// <summary>Whether <paramref name="target"/> is the host itself.</summary>
    public static bool IsDom0(string target) => target is "dom0" or "@adminvm" or NilUuid;

    /// <summary>Whether <paramref name="target"/> is <c>uuid:</c> and a UUID.</summary>
    public static bool IsUuid(string target) =>
        target.StartsWith(UuidPrefix, StringComparison.Ordinal) && Guid.TryParseExact(target.AsSpan(UuidPrefix.Length), "D", out _);

    /// <summary>Whether <paramref name="target"/> can name a running qube: it becomes part of a path.</summary>
    public static bool IsProper(string target) =>
        IsUuid(target) || (target.Length is > 0 and <= 63 && char.IsAsciiLetterOrDigit(target[0]) && target.AsSpan().IndexOfAnyExcept(NameCharacters) < 0);

    /// <summary>Whether <paramref name="text"/> stays one word of a command.</summary>
    public static bool IsWord(string text) => text.Length > 0 && text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");
}
