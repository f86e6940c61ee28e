using System.Net;
using System.Net.Sockets;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;

namespace Qubes.Model.Properties.Types;

/// <summary>An IPv4 or an IPv6 address, or none; word <c>str</c>. IPv6 prints compressed.</summary>
public sealed class AddressType : PropertyType<IPAddress?>
{
    public static readonly AddressType IPv4 = new(AddressFamily.InterNetwork);
    public static readonly AddressType IPv6 = new(AddressFamily.InterNetworkV6);

    private readonly AddressFamily _family;

    private AddressType(AddressFamily family) => _family = family;

    public override string Word => PropertyTypeWord.Str;

    public override object Sanitise(ReadOnlySpan<byte> untrustedPayload) => Parse(PropertyPayload.ToAscii(untrustedPayload));

    public override IPAddress? Convert(PropertyHolder holder, PropertyDefinition property, object? input) => input is string text
        ? Parse(text)
        : throw QubesErrors.InvalidPropertyValue(holder.HolderText, property.Name, "None");

    public override IPAddress? Load(PropertyHolder holder, PropertyDefinition property, string text) => Parse(text);

    public override string Format(IPAddress? value) => value?.ToString() ?? "";

    private IPAddress Parse(string untrustedText) => _family == AddressFamily.InterNetwork
        ? PropertyPayload.ToIPv4(untrustedText)
        : PropertyPayload.ToIPv6(untrustedText);
}
