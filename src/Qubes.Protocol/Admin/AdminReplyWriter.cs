using System.Buffers;
using System.Text;

namespace Qubes.Protocol.Admin;

/// <summary>Writes the three kinds of reply. Every reply begins with a digit and a NUL.</summary>
public static class AdminReplyWriter
{
    /// <summary>The start of a success reply; content follows to the end of the stream.</summary>
    public static ReadOnlySpan<byte> SuccessHeader => "0\0"u8;

    /// <summary>The start of an event.</summary>
    public static ReadOnlySpan<byte> EventHeader => "1\0"u8;

    /// <summary>The start of an exception.</summary>
    public static ReadOnlySpan<byte> ExceptionHeader => "2\0"u8;

    // '0' NUL <content, UTF-8, to the end of the stream>

    /// <summary>Writes a success reply with text as its content.</summary>
    public static void WriteSuccess(IBufferWriter<byte> output, ReadOnlySpan<char> content)
    {
        output.Write(SuccessHeader);
        Encoding.UTF8.GetBytes(content, output);
    }

    // '2' NUL <class> NUL <traceback> NUL <message> NUL
    // Python clients use the message as a '%' format, with no fields: a '%' meant literally is doubled.

    /// <summary>Writes an exception reply.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="name">The bare class name, ASCII.</param>
    /// <param name="message">Text for people. A NUL in it would end it early and is sent as a space.</param>
    /// <param name="traceback">Empty unless the daemon runs in debug mode.</param>
    public static void WriteException(IBufferWriter<byte> output, string name, ReadOnlySpan<char> message, string traceback = "")
    {
        output.Write(ExceptionHeader);
        WriteTerminated(output, name);
        WriteTerminated(output, traceback);
        while (message.IndexOf('%') is var percent && percent >= 0)
        {
            WriteText(output, message[..percent]);
            output.Write("%%"u8);
            message = message[(percent + 1)..];
        }

        WriteTerminated(output, message);
    }

    // '1' NUL <subject> NUL <event> NUL ( <key> NUL <value> NUL )* NUL
    // Only an empty key ends an event: values may be empty.

    /// <summary>Begins an event; any number of keywords and one <see cref="EndEvent"/> follow.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="subject">The qube's name, empty for the whole system.</param>
    /// <param name="name">The event's name.</param>
    public static void BeginEvent(IBufferWriter<byte> output, ReadOnlySpan<char> subject, ReadOnlySpan<char> name)
    {
        output.Write(EventHeader);
        WriteTerminated(output, subject);
        WriteTerminated(output, name);
    }

    /// <summary>Writes one keyword of an event. A NUL in the value is sent as a space: it must not forge a keyword.</summary>
    /// <exception cref="ArgumentException">The key is empty or holds a NUL.</exception>
    public static void WriteEventKeyword(IBufferWriter<byte> output, ReadOnlySpan<char> key, ReadOnlySpan<char> value)
    {
        if (key.IsEmpty || key.Contains('\0'))
        {
            throw new ArgumentException("An event's keyword needs a name without NUL", nameof(key));
        }

        WriteTerminated(output, key);
        WriteTerminated(output, value);
    }

    /// <summary>Writes a keyword of an event whose value is UTF-8 text already.</summary>
    /// <exception cref="ArgumentException">The key is empty, or one of them holds a NUL.</exception>
    public static void WriteEventKeyword(IBufferWriter<byte> output, ReadOnlySpan<char> key, ReadOnlySpan<byte> utf8Value)
    {
        if (key.IsEmpty || key.Contains('\0') || utf8Value.Contains((byte)0))
        {
            throw new ArgumentException("An event's keyword needs a name, and neither it nor the value a NUL", nameof(key));
        }

        WriteTerminated(output, key);
        output.Write(utf8Value);
        output.Write("\0"u8);
    }

    /// <summary>Ends an event.</summary>
    public static void EndEvent(IBufferWriter<byte> output) => output.Write("\0"u8);

    private static void WriteTerminated(IBufferWriter<byte> output, ReadOnlySpan<char> text)
    {
        WriteText(output, text);
        output.Write("\0"u8);
    }

    private static void WriteText(IBufferWriter<byte> output, ReadOnlySpan<char> text)
    {
        while (text.IndexOf('\0') is var nul && nul >= 0)
        {
            Encoding.UTF8.GetBytes(text[..nul], output);
            output.Write(" "u8);
            text = text[(nul + 1)..];
        }

        Encoding.UTF8.GetBytes(text, output);
    }
}
