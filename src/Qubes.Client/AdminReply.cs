using System.Globalization;
using System.Text;
using Qubes.Protocol.Errors;

namespace Qubes.Client;

/// <summary>Reads a whole reply: its content, or the exception it carries.</summary>
public static class AdminReply
{
    private const int StatusSize = 2;

    /// <summary>Returns the content of a success reply.</summary>
    /// <exception cref="QubesException">What the daemon answered, or that the answer makes no sense.</exception>
    public static ReadOnlyMemory<byte> Content(ReadOnlyMemory<byte> reply)
    {
        ReadOnlySpan<byte> bytes = reply.Span;
        if (bytes.IsEmpty)
        {
            throw ClientErrors.Access("Got empty response from qubesd. See journalctl in dom0 for details.");
        }

        if (bytes.StartsWith("0\0"u8))
        {
            return reply[2..];
        }

        throw bytes.StartsWith("2\0"u8) ? Exception(bytes[2..]) : ClientErrors.Communication("Invalid response format");
    }

    /// <summary>Reads the status of a reply that is too long to be kept as a whole.</summary>
    /// <returns>The stream, at the content of a success reply.</returns>
    /// <exception cref="QubesException">As for <see cref="Content"/>.</exception>
    public static async ValueTask<Stream> ContentAsync(Stream reply, CancellationToken cancellation = default)
    {
        byte[] status = new byte[StatusSize];
        int length = await reply.ReadAtLeastAsync(status, StatusSize, throwOnEndOfStream: false, cancellation);
        if (status is [(byte)'0', 0])
        {
            return reply;
        }

        using MemoryStream whole = new();
        whole.Write(status, 0, length);
        await reply.CopyToAsync(whole, cancellation);
        Content(whole.ToArray());
        throw new System.Diagnostics.UnreachableException("a reply without the status of a success was taken for one");
    }

    // <class> NUL <traceback> NUL <format> NUL ( <field> NUL )*
    private static QubesException Exception(ReadOnlySpan<byte> bytes)
    {
        string[] parts = Encoding.UTF8.GetString(bytes).Split('\0');
        return parts.Length < 4
            ? ClientErrors.Communication("Invalid response format")
            : new QubesException(parts[0], Format(parts[2], parts.AsSpan(3, parts.Length - 4)));
    }

    /// <summary>
    /// Applies a %-format as far as the protocol uses it: <c>%%</c>, and <c>%s</c>, <c>%d</c>, <c>%r</c> for the fields in turn.
    /// What does not fit is kept as it came: an error text must never be lost over its form.
    /// </summary>
    internal static string Format(string format, ReadOnlySpan<string> fields)
    {
        if (!format.Contains('%'))
        {
            return format;
        }

        StringBuilder text = new();
        int next = 0;
        for (int i = 0; i < format.Length; i++)
        {
            char kind = format[i] == '%' && i + 1 < format.Length ? format[i + 1] : '\0';
            if (kind == '%')
            {
                text.Append('%');
                i++;
            }
            else if (kind is 's' or 'd' or 'i' or 'r' && next < fields.Length)
            {
                string field = fields[next++];
                bool isNumber = long.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out _);
                text.Append(kind == 'r' && !isNumber ? $"'{field}'" : field);
                i++;
            }
            else
            {
                text.Append(format[i]);
            }
        }

        return text.ToString();
    }
}
