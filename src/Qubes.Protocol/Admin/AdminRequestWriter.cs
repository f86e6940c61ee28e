using System.Buffers;
using System.Text;

namespace Qubes.Protocol.Admin;

/// <summary>Writes requests as local clients send them.</summary>
public static class AdminRequestWriter
{
    // <method> '+' <argument> SP <source> SP 'name' SP <destination> NUL <payload>

    /// <summary>Writes one request; the end of it is the end of the sender's output, which is the caller's to signal.</summary>
    /// <exception cref="ArgumentException">A part holds what would end it early (SP, NUL, or '+' in the method) or is not ASCII.</exception>
    public static void Write(IBufferWriter<byte> output, string method, string argument, string source, string destination,
        ReadOnlySpan<byte> payload)
    {
        RequireField(method, " +\0", nameof(method));
        RequireField(argument, " \0", nameof(argument));
        RequireField(source, " \0", nameof(source));
        RequireField(destination, "\0", nameof(destination));
        int headerLength = method.Length + 1 + argument.Length + 1 + source.Length + " name ".Length + destination.Length + 1;
        Span<byte> header = output.GetSpan(headerLength);
        int at = Put(header, 0, method);
        header[at++] = (byte)'+';
        at = Put(header, at, argument);
        header[at++] = (byte)' ';
        at = Put(header, at, source);
        at = Put(header, at, " name ");
        at = Put(header, at, destination);
        header[at++] = 0;
        output.Advance(at);
        output.Write(payload);
    }

    private static int Put(Span<byte> header, int at, string text) => at + Encoding.ASCII.GetBytes(text, header[at..]);

    private static void RequireField(string value, string forbidden, string parameter)
    {
        if (!Ascii.IsValid(value) || value.AsSpan().ContainsAny(forbidden))
        {
            throw new ArgumentException("Not a valid part of a request header", parameter);
        }
    }
}
