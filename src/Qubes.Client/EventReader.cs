using System.Runtime.CompilerServices;
using System.Text;
using Qubes.Protocol.Errors;

namespace Qubes.Client;

/// <summary>Reads events from the stream of <c>admin.Events</c> or <c>admin.vm.Stats</c>.</summary>
public static class EventReader
{
    // One event is a few hundred bytes; the limit only bounds what a broken peer can make us hold.
    private const int MaxEventBytes = 1024 * 1024;

    /// <summary>Yields events until the stream ends.</summary>
    /// <exception cref="QubesException">The stream ended in the middle, or carried an exception or something else.</exception>
    public static async IAsyncEnumerable<AdminEvent> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        byte[] buffer = new byte[16 * 1024];
        int length = 0;
        while (true)
        {
            int used = 0;
            while (TryParse(buffer.AsMemory(used, length - used), out AdminEvent? parsed, out int consumed))
            {
                used += consumed;
                yield return parsed!;
            }

            buffer.AsSpan(used, length - used).CopyTo(buffer);
            length -= used;
            if (length == buffer.Length)
            {
                if (length >= MaxEventBytes)
                {
                    throw ClientErrors.Communication("Event is too long");
                }

                Array.Resize(ref buffer, length * 2);
            }

            int read = await stream.ReadAsync(buffer.AsMemory(length), cancellation);
            if (read == 0)
            {
                if (length != 0)
                {
                    AdminReply.Content(buffer.AsMemory(0, length));
                    throw ClientErrors.Communication("Event stream ended inside an event");
                }

                yield break;
            }

            length += read;
        }
    }

    // '1' NUL subject NUL event NUL ( key NUL value NUL )* NUL
    internal static bool TryParse(ReadOnlyMemory<byte> buffer, out AdminEvent? parsed, out int consumed)
    {
        parsed = null;
        consumed = 0;
        ReadOnlySpan<byte> bytes = buffer.Span;
        if (bytes.Length < 2)
        {
            return false;
        }

        if (!bytes.StartsWith("1\0"u8))
        {
            // An exception ends such a stream; it is whole only at the end of the stream.
            return bytes.StartsWith("2\0"u8) ? false : throw ClientErrors.Communication("Non-event received");
        }

        int at = 2;
        if (!TryField(bytes, ref at, out string subject) || !TryField(bytes, ref at, out string name))
        {
            return false;
        }

        List<KeyValuePair<string, string>> keywords = [];
        while (true)
        {
            if (!TryField(bytes, ref at, out string key))
            {
                return false;
            }

            if (key.Length == 0)
            {
                parsed = new AdminEvent(subject, name, keywords);
                consumed = at;
                return true;
            }

            if (!TryField(bytes, ref at, out string value))
            {
                return false;
            }

            keywords.Add(new(key, value));
        }
    }

    private static bool TryField(ReadOnlySpan<byte> bytes, ref int at, out string field)
    {
        int end = bytes[at..].IndexOf((byte)0);
        field = end < 0 ? "" : Encoding.UTF8.GetString(bytes.Slice(at, end));
        at += end + 1;
        return end >= 0;
    }
}
