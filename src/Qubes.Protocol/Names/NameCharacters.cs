using System.Buffers;

namespace Qubes.Protocol.Names;

/// <summary>The character sets of names, all ASCII.</summary>
internal static class NameCharacters
{
    /// <summary>In the order in which error messages list them.</summary>
    public const string Safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    /// <inheritdoc cref="Safe"/>
    public const string HexDigitsText = "0123456789abcdefABCDEF";

    public static SearchValues<char> LettersDigitsDashUnderscoreDot { get; } = SearchValues.Create(Safe);

    public static SearchValues<char> HexDigits { get; } = SearchValues.Create(HexDigitsText);

    public static SearchValues<char> CanonicalUuid { get; } = SearchValues.Create("0123456789abcdef-");

    public static SearchValues<char> IPv6 { get; } = SearchValues.Create("0123456789abcdefABCDEF:.");

    public static SearchValues<char> LettersDigitsDashUnderscore { get; } = SearchValues.Create(Safe.AsSpan(..^1));
}
