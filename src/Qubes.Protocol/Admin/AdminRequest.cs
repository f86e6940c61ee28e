using System.Text;

namespace Qubes.Protocol.Admin;

/// <summary>
/// One request, as views into the bytes it was read from. Nothing but the framing is checked: every part is as the
/// caller wrote it.
/// </summary>
public readonly ref struct AdminRequest
{
    private AdminRequest(ReadOnlySpan<byte> method, ReadOnlySpan<byte> argument, ReadOnlySpan<byte> source,
        ReadOnlySpan<byte> destination, ReadOnlySpan<byte> payload)
    {
        UntrustedMethod = method;
        UntrustedArgument = argument;
        UntrustedSource = source;
        UntrustedDestination = destination;
        UntrustedPayload = payload;
    }

    /// <summary>The name by which the host itself is called when a request names it by keyword.</summary>
    public static ReadOnlySpan<byte> AdminVmName => "dom0"u8;

    public ReadOnlySpan<byte> UntrustedMethod { get; }

    /// <summary>Text after the first <c>+</c>; empty also when there was no <c>+</c>.</summary>
    public ReadOnlySpan<byte> UntrustedArgument { get; }

    /// <summary>A qube's name, or <c>uuid:</c> and a UUID.</summary>
    public ReadOnlySpan<byte> UntrustedSource { get; }

    /// <summary>A qube's name, or <c>uuid:</c> and a UUID; the keyword <c>adminvm</c> arrives here as <c>dom0</c>.</summary>
    public ReadOnlySpan<byte> UntrustedDestination { get; }

    /// <summary>All bytes after the first NUL; may itself contain NUL.</summary>
    public ReadOnlySpan<byte> UntrustedPayload { get; }

    // <method> [ '+' <argument> ] SP <source> SP ('name'|'keyword') SP <destination> NUL <payload> EOF
    // The header is split at SP three times at most: further spaces belong to the destination.

    /// <summary>Splits a whole request, as it stands after the end of the caller's input.</summary>
    public static AdminRequestError TryParse(ReadOnlySpan<byte> untrustedRequest, out AdminRequest request)
    {
        request = default;
        if (untrustedRequest.Length > AdminLimits.MaxRequestBytes)
        {
            return AdminRequestError.TooLong;
        }

        int end = untrustedRequest.IndexOf((byte)0);
        if (end < 0)
        {
            return AdminRequestError.NoHeaderEnd;
        }

        ReadOnlySpan<byte> rest = untrustedRequest[..end];
        if (!Ascii.IsValid(rest))
        {
            return AdminRequestError.NotAscii;
        }

        if (!TakeField(ref rest, out ReadOnlySpan<byte> call) || !TakeField(ref rest, out ReadOnlySpan<byte> source)
            || !TakeField(ref rest, out ReadOnlySpan<byte> type))
        {
            return AdminRequestError.MissingField;
        }

        ReadOnlySpan<byte> destination = rest;
        if (type.SequenceEqual("keyword"u8))
        {
            if (!destination.SequenceEqual("adminvm"u8))
            {
                return AdminRequestError.UnknownDestinationKeyword;
            }

            destination = AdminVmName;
        }
        else if (!type.SequenceEqual("name"u8))
        {
            return AdminRequestError.UnknownDestinationType;
        }

        int plus = call.IndexOf((byte)'+');
        ReadOnlySpan<byte> method = plus < 0 ? call : call[..plus];
        ReadOnlySpan<byte> argument = plus < 0 ? default : call[(plus + 1)..];
        request = new AdminRequest(method, argument, source, destination, untrustedRequest[(end + 1)..]);
        return AdminRequestError.None;
    }

    private static bool TakeField(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> field)
    {
        int space = rest.IndexOf((byte)' ');
        if (space < 0)
        {
            field = default;
            return false;
        }

        field = rest[..space];
        rest = rest[(space + 1)..];
        return true;
    }
}
