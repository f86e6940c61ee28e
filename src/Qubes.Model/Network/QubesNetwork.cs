using System.Net;

namespace Qubes.Model.Network;

/// <summary>The addressing plan of the virtual network.</summary>
public static class QubesNetwork
{
    /// <summary>The second half of a qube's address prefix 10.137.</summary>
    public const int QubePrefix = 137;

    /// <summary>The second half of a disposable's address prefix 10.138.</summary>
    public const int DisposablePrefix = 138;

    public const string DefaultMac = "00:16:3e:5e:6c:00";

    public static IPAddress PrimaryDns { get; } = new([10, 139, 1, 1]);

    public static IPAddress SecondaryDns { get; } = new([10, 139, 1, 2]);

    public static IPAddress Netmask { get; } = new([255, 255, 255, 255]);

    /// <summary>
    /// The address of a qube number: below 255 the number's two bytes; above, pairs that avoid 0 and 255 in the last octet
    /// (254 is 0.254, 255 is 1.1, 509 is 2.1).
    /// </summary>
    public static IPAddress AddressOf(int prefix, int number)
    {
        (int high, int low) = number < 255 ? (number >> 8, number & 255) : ((number - 1) / 254, ((number - 1) % 254) + 1);
        return new IPAddress([10, (byte)prefix, (byte)high, (byte)low]);
    }

    /// <summary><c>fd09:24ef:4179::a89:NUMBER</c>, for disposables <c>…::a8a:NUMBER</c>.</summary>
    public static IPAddress Address6Of(int prefix, int number) => new(
        [0xfd, 0x09, 0x24, 0xef, 0x41, 0x79, 0, 0, 0, 0, 0, 0, 0x0a, (byte)prefix, (byte)(number >> 8), (byte)number]);
}
