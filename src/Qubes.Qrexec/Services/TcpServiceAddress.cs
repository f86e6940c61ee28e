using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Qubes.Qrexec.Services;

/// <summary>
/// Reads the address of a TCP service from the text of its symbolic link and the argument of the call.
/// <code>
///   /dev/tcp/HOST/PORT   no argument allowed
///   /dev/tcp/HOST        the argument is the port
///   /dev/tcp             the argument is HOST+PORT, with each further + standing for : in an IPv6 address
/// </code>
/// </summary>
internal static class TcpServiceAddress
{
    private const string Prefix = "/dev/tcp";

    public static bool Matches(string linkText) =>
        linkText == Prefix || linkText.StartsWith(Prefix + "/", StringComparison.Ordinal);

    /// <exception cref="ServiceException">The link or the argument is no address.</exception>
    public static TcpService Parse(string linkText, string? untrustedArgument)
    {
        string argument = untrustedArgument ?? "";
        if (linkText == Prefix)
        {
            int plus = argument.LastIndexOf('+');
            if (plus < 0 || argument.Contains('_', StringComparison.Ordinal))
            {
                throw ServiceException.Problem("a TCP service without address needs the argument HOST+PORT");
            }

            return Create(argument[..plus].Replace('+', ':'), argument[(plus + 1)..]);
        }

        string rest = linkText[(Prefix.Length + 1)..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return Create(rest, argument);
        }

        if (argument.Length != 0)
        {
            throw ServiceException.Problem("a TCP service with host and port takes no argument");
        }

        return Create(rest[..slash], rest[(slash + 1)..]);
    }

    private static TcpService Create(string host, string port)
    {
        // IPAddress accepts shortened IPv4 forms and ports or brackets around IPv6; the address characters are checked first.
        bool sixth = host.AsSpan().ContainsAny(':', '%');
        if (host.Length == 0 || host.AsSpan().ContainsAny('[', ']', '/')
            || !IPAddress.TryParse(host, out IPAddress? address)
            || address.AddressFamily != (sixth ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork))
        {
            throw ServiceException.Problem("the host of a TCP service must be a numeric address");
        }

        if (port.Length is < 1 or > 5 || port[0] is < '1' or > '9'
            || !int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number > 65535)
        {
            throw ServiceException.Problem("the port of a TCP service must be a decimal number from 1 to 65535");
        }

        return new TcpService(address, number);
    }
}
