using System.Globalization;
using Qvm.CommandLine;

namespace Qvm.Output;

/// <summary>Sizes as people write them.</summary>
internal static class SizeText
{
    private static readonly (string Suffix, long Factor)[] Suffixes =
    [
        ("KIB", 1L << 10), ("MIB", 1L << 20), ("GIB", 1L << 30), ("KI", 1L << 10), ("MI", 1L << 20), ("GI", 1L << 30),
        ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("K", 1000), ("M", 1_000_000), ("G", 1_000_000_000),
    ];

    // 1*DIGIT [blank] [K | KB | Ki | KiB | M | … ] in any case; without a suffix bytes

    /// <summary>Bytes.</summary>
    /// <exception cref="ToolException">It is no size.</exception>
    public static long Parse(string text)
    {
        string upper = text.Trim().ToUpperInvariant();
        (string suffix, long factor) = Suffixes.FirstOrDefault(s => upper.EndsWith(s.Suffix, StringComparison.Ordinal), ("", 1));
        return long.TryParse(upper[..^suffix.Length].TrimEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number <= long.MaxValue / factor
            ? number * factor
            : throw new ToolException($"Invalid size: {text}.");
    }
}
