using System.Buffers;
using System.Net;
using Qubes.Model.Classes;
using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;

namespace Qubes.Model.Network;

/// <summary>The network properties of qubes that run.</summary>
public static class NetworkProperties
{
    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    public static readonly PropertyDefinition<QubesVM, QubesVM?> NetVM = new("netvm", new ReferenceType<QubesVM>("QubesVM", allowNone: true))
    {
        Stage = PropertyStage.References,
        Default = PropertyDefault.Of<QubesVM, QubesVM?>(static qube => qube.DefaultNetVM),
        Setter = CheckNetVM,
        ResetGuard = static qube => CheckNetVM(qube, qube.DefaultNetVM),
        Help = "Qube that provides the network connection; empty for none.",
    };

    public static readonly PropertyDefinition<QubesVM, bool> ProvidesNetwork = new("provides_network", BoolType.Instance)
    {
        Default = PropertyDefault.Constant(value: false),
        Setter = static (qube, value) =>
        {
            if (!value)
            {
                RefuseIfConnected(qube);
            }

            return value;
        },
        ResetGuard = static qube =>
        {
            if (qube.ProvidesNetwork)
            {
                RefuseIfConnected(qube);
            }
        },
        Help = "The qube can give network to others.",
    };

    public static readonly PropertyDefinition<QubesVM, string?> Mac = new("mac", TextType.Instance)
    {
        Default = PropertyDefault.Constant<string?>(QubesNetwork.DefaultMac),
        Setter = static (_, value) => ValidMac(value),
        Help = "MAC address of the network interface inside the qube.",
    };

    public static readonly PropertyDefinition<QubesVM, IPAddress?> IP = new("ip", AddressType.IPv4)
    {
        Default = PropertyDefault.Of<QubesVM, IPAddress?>(static qube => qube.IsNetworked ? qube.DefaultIP : null),
        Help = "IP address of the qube.",
    };

    public static readonly PropertyDefinition<QubesVM, IPAddress?> IP6 = new("ip6", AddressType.IPv6)
    {
        Default = PropertyDefault.Of<QubesVM, IPAddress?>(static qube => qube.IsNetworked && HasIPv6(qube) ? qube.DefaultIP6 : null),
        Help = "IPv6 address of the qube.",
    };

    public static readonly PropertyDefinition<QubesVM, string?> Dns = new("dns", TextType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Of<QubesVM, string?>(static qube => qube.Dns is { } dns ? $"{dns.Primary} {dns.Secondary}" : null),
        Help = "Addresses of the name servers the qube uses, separated by a space.",
    };

    public static readonly PropertyDefinition<QubesVM, IPAddress?> Gateway = ComputedAddress(
        "gateway",
        AddressType.IPv4,
        static qube => qube.ProvidesNetwork ? VisibleIP!.Get(qube) : null,
        "Address under which qubes connected to this one reach it.");

    public static readonly PropertyDefinition<QubesVM, IPAddress?> Gateway6 = ComputedAddress(
        "gateway6",
        AddressType.IPv6,
        static qube => qube.ProvidesNetwork && HasIPv6(qube) ? VisibleIP6!.Get(qube) : null,
        "IPv6 address under which qubes connected to this one reach it.");

    public static readonly PropertyDefinition<QubesVM, IPAddress?> VisibleIP = ComputedAddress(
        "visible_ip",
        AddressType.IPv4,
        static qube => FakeAddress(qube, "net.fake-ip") ?? qube.IP,
        "IP address as seen from inside the qube.");

    public static readonly PropertyDefinition<QubesVM, IPAddress?> VisibleIP6 = ComputedAddress(
        "visible_ip6", AddressType.IPv6, static qube => qube.IP6, "IPv6 address as seen from inside the qube.");

    public static readonly PropertyDefinition<QubesVM, IPAddress?> VisibleGateway = ComputedAddress(
        "visible_gateway",
        AddressType.IPv4,
        static qube => FakeAddress(qube, "net.fake-gateway") ?? qube.NetVM?.Gateway,
        "Default gateway as seen from inside the qube.");

    public static readonly PropertyDefinition<QubesVM, IPAddress?> VisibleGateway6 = ComputedAddress(
        "visible_gateway6",
        AddressType.IPv6,
        static qube => HasIPv6(qube) ? qube.NetVM?.Gateway6 : null,
        "Default IPv6 gateway as seen from inside the qube.");

    public static readonly PropertyDefinition<QubesVM, IPAddress?> VisibleNetmask = ComputedAddress(
        "visible_netmask",
        AddressType.IPv4,
        static qube => FakeAddress(qube, "net.fake-netmask") ?? (qube.NetVM is { IsNetworked: true } ? QubesNetwork.Netmask : null),
        "Netmask as seen from inside the qube.");

    internal static IEnumerable<PropertyDefinition> All =>
    [
        NetVM, ProvidesNetwork, Mac, IP, IP6, Dns, Gateway, Gateway6, VisibleIP, VisibleIP6, VisibleGateway, VisibleGateway6,
        VisibleNetmask,
    ];

    /// <summary>The feature <c>ipv6</c> is true for the qube or the nearest of its network qubes that has it.</summary>
    public static bool HasIPv6(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        return !string.IsNullOrEmpty(qube.Features.CheckWithNetVM("ipv6"));
    }

    /// <summary>Whether <paramref name="netvm"/> may give network to <paramref name="qube"/>; returns it.</summary>
    internal static QubesVM? CheckNetVM(QubesVM qube, QubesVM? netvm)
    {
        if (netvm is null)
        {
            return null;
        }

        if (!netvm.ProvidesNetwork)
        {
            throw QubesErrors.Value($"The {netvm.Name} qube does not provide network");
        }

        // While loading, the others' netvms are not known yet; loops are repaired once everything is there.
        return qube.EventsEnabled && (netvm == qube || netvm.IsConnectedThrough(qube))
            ? throw QubesErrors.Value("Loops in network are unsupported")
            : netvm;
    }

    // A value the store may hold from times when it was not checked counts as absent.
    private static IPAddress? FakeAddress(QubesVM qube, string feature) =>
        qube.Features.CheckWithTemplate(feature) is { Length: > 0 } text && PropertyPayload.TryIPv4(text, out IPAddress? address)
            ? address
            : null;

    private static void RefuseIfConnected(QubesVM qube)
    {
        if (qube.EventsEnabled && qube.ConnectedQubes.Any())
        {
            throw QubesErrors.Value($"The qube {qube.Name} is still used as netvm by other qubes");
        }
    }

    private static string ValidMac(string? value)
    {
        string mac = (value ?? "").ToLowerInvariant();
        bool valid = mac.Length == 17;
        for (int i = 0; valid && i < mac.Length; i++)
        {
            valid = i % 3 == 2 ? mac[i] == ':' : Hex.Contains(mac[i]);
        }

        return valid ? mac : throw QubesErrors.PropertyValue("Invalid MAC address value");
    }

    private static PropertyDefinition<QubesVM, IPAddress?> ComputedAddress(
        string name, AddressType type, Func<QubesVM, IPAddress?> compute, string help) => new(name, type)
        {
            Computed = true,
            Default = PropertyDefault.Of(compute),
            Help = help,
        };
}
