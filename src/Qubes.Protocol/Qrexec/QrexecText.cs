using System.Buffers;
using System.Text;

namespace Qubes.Protocol.Qrexec;

/// <summary>Character sets of qrexec fields. Everything is bytes: no encoding is assumed for what comes from outside.</summary>
public static class QrexecText
{
    private const string Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>Bytes a request identifier may have.</summary>
    public static SearchValues<byte> RequestIdBytes { get; } = SearchValues.Create(Encoding.ASCII.GetBytes(Alphanumeric + "_-. "));

    private static readonly SearchValues<byte> QubeBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Alphanumeric + "_-.@:"));
    private static readonly SearchValues<byte> ServiceBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Alphanumeric + "_-.+"));

    /// <summary>Replaces by <c>_</c> what the name of a source or target may not have.</summary>
    public static string SanitizeQube(ReadOnlySpan<byte> untrustedName) => Sanitize(untrustedName, QubeBytes);

    /// <summary>Replaces by <c>_</c> what "service+argument" may not have.</summary>
    public static string SanitizeService(ReadOnlySpan<byte> untrustedName) => Sanitize(untrustedName, ServiceBytes);

    /// <summary>
    /// The text up to the first NUL of a fixed field; a field without NUL loses its last byte, which peers overwrite.
    /// </summary>
    public static ReadOnlySpan<byte> UntilNul(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return end >= 0 ? field[..end] : field[..^1];
    }

    /// <summary>Writes ASCII text into a zero-padded field, cut to leave room for the NUL.</summary>
    public static void WriteField(Span<byte> field, ReadOnlySpan<byte> text)
    {
        field.Clear();
        text[..Math.Min(text.Length, field.Length - 1)].CopyTo(field);
    }

    /// <summary>Bytes from outside made safe for a log: what is not printable ASCII becomes <c>\xNN</c>.</summary>
    public static string Printable(ReadOnlySpan<byte> untrusted)
    {
        StringBuilder text = new(untrusted.Length);
        foreach (byte b in untrusted)
        {
            if (b is >= 0x20 and < 0x7F and not (byte)'\\')
            {
                text.Append((char)b);
            }
            else
            {
                text.Append("\\x").Append(Convert.ToHexStringLower([b]));
            }
        }

        return text.ToString();
    }

    private static string Sanitize(ReadOnlySpan<byte> untrusted, SearchValues<byte> allowed)
    {
        char[] result = new char[untrusted.Length];
        for (int i = 0; i < untrusted.Length; i++)
        {
            result[i] = allowed.Contains(untrusted[i]) ? (char)untrusted[i] : '_';
        }

        return new(result);
    }
}
