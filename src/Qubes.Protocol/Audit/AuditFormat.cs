using System.Globalization;
using System.Security.Cryptography;

namespace Qubes.Protocol.Audit;

/// <summary>
/// The audit log: files <c>audit-SEQ.jsonl</c>, named after their first record, one JSON object a line in ASCII.
/// <code>
/// {"seq":N,"time":"UTC","source":"…","call":"…","arg":"…","target":"…","outcome":"…","us":N[,"policy":"FILE:LINE"][,"uid":N],"hash":"HEX"} LF
/// {"seq":N,"time":"UTC","event":"open","prev":"HEX","hash":"HEX"} LF          first line of each file; other events in <see cref="AuditEvents"/>
/// </code>
/// <c>hash</c> is the SHA-256 of the previous record's hash (32 bytes; zeros before the first) followed by the line up to the comma before
/// <c>"hash"</c>. Records are numbered without gaps through all files: a change, removal or exchange of records breaks the chain.
/// </summary>
public static class AuditFormat
{
    public const int HashLength = 32;

    /// <summary>In bytes, without the line feed. A longer line is damage.</summary>
    public const int LongestLine = 32 * 1024;

    /// <summary>Characters of an argument that are kept; what follows is replaced by <c>...</c>.</summary>
    public const int LongestArgument = 256;

    /// <summary>Holds number and hash of a record that was certainly on disk, <c>SEQ HEX</c>.</summary>
    public const string HeadFile = "head";

    public const string FilePattern = "audit-*.jsonl";

    /// <summary>What ends the part of a line that the hash is made of.</summary>
    public static ReadOnlySpan<byte> HashKey => ",\"hash\":\""u8;

    /// <summary>After <see cref="HashKey"/>: the hash in hexadecimal, quote, brace.</summary>
    public static int HashTailLength => HashKey.Length + (2 * HashLength) + 2;

    public static string FileName(long firstSequence) => string.Create(CultureInfo.InvariantCulture, $"audit-{firstSequence:d12}.jsonl");

    /// <summary>The number of the first record in a file of this name; null if it is no name of such a file.</summary>
    public static long? FirstSequence(string fileName)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        return fileName.Length == 24 && long.TryParse(fileName.AsSpan(6, 12), NumberStyles.None, CultureInfo.InvariantCulture, out long first)
            && fileName == FileName(first) ? first : null;
    }

    /// <summary>The audit files of a directory in their order.</summary>
    public static IReadOnlyList<string> Files(string directory) =>
        [.. Directory.EnumerateFiles(directory, FilePattern).Where(f => FirstSequence(Path.GetFileName(f)) is not null).Order(StringComparer.Ordinal)];

    /// <summary>Computes the hash of a record.</summary>
    public static void Hash(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> body, Span<byte> hash)
    {
        Span<byte> whole = previous.Length + body.Length <= 2048 ? stackalloc byte[2048] : new byte[previous.Length + body.Length];
        previous.CopyTo(whole);
        body.CopyTo(whole[previous.Length..]);
        SHA256.HashData(whole[..(previous.Length + body.Length)], hash);
    }
}
