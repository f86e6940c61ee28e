using System.Globalization;
using System.Text;
using CsCheck;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Properties;

namespace Qubes.Protocol.Tests.Properties;

public sealed class PropertyPayloadTests
{
    [Theory]
    [InlineData("5", 5)]
    [InlineData(" 5 ", 5)]
    [InlineData("+5", 5)]
    [InlineData("-5", -5)]
    [InlineData("1_000", 1000)]
    [InlineData("007", 7)]
    [InlineData("\t5\n", 5)]
    public void Integers_are_read_as_python_reads_them(string text, long value) => Assert.Equal(value, PropertyPayload.ToInteger(text));

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("0x10")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("_1")]
    [InlineData("1_")]
    [InlineData("1__0")]
    [InlineData("+-1")]
    [InlineData("+ 1")]
    [InlineData("1 2")]
    [InlineData("99999999999999999999")]
    public void Other_texts_are_no_integers(string text)
    {
        QubesException error = Assert.Throws<QubesException>(() => PropertyPayload.ToInteger(text));
        Assert.Equal(("QubesValueError", "Failed to parse property value as int"), (error.WireName, error.Message));
    }

    [Fact]
    public void Every_integer_is_read_back() => Gen.Long.Sample(value =>
        PropertyPayload.ToInteger(value.ToString(CultureInfo.InvariantCulture)) == value);

    [Theory]
    [InlineData("True", true)]
    [InlineData("YES", true)]
    [InlineData("on", true)]
    [InlineData("1", true)]
    [InlineData("False", false)]
    [InlineData("no", false)]
    [InlineData("OFF", false)]
    [InlineData("0", false)]
    public void Booleans_have_four_spellings_each(string text, bool value) => Assert.Equal(value, PropertyPayload.ToBool(text));

    [Theory]
    [InlineData("")]
    [InlineData(" True")]
    [InlineData("2")]
    [InlineData("truee")]
    public void Anything_else_is_no_boolean(string text) => Assert.Equal(
        $"Invalid literal for boolean property: '{text}'", Assert.Throws<QubesException>(() => PropertyPayload.ToBool(text)).Message);

    [Theory]
    [InlineData("10.137.0.5", true)]
    [InlineData("0.0.0.0", true)]
    [InlineData("255.255.255.255", true)]
    [InlineData("10.137.0.05", false)]
    [InlineData("10.137.0", false)]
    [InlineData("10.137.0.5.6", false)]
    [InlineData("10.137.0.256", false)]
    [InlineData("10.137.0.+5", false)]
    [InlineData(" 10.137.0.5", false)]
    [InlineData("0x0a.1.1.1", false)]
    [InlineData("", false)]
    public void An_ipv4_address_has_four_plain_octets(string text, bool valid) => Assert.Equal(valid, PropertyPayload.TryIPv4(text, out _));

    [Theory]
    [InlineData("fd09::1", true)]
    [InlineData("::ffff:10.0.0.1", true)]
    [InlineData("fe80::1%eth0", false)]
    [InlineData("[::1]", false)]
    [InlineData("10.0.0.1", false)]
    [InlineData("::1/64", false)]
    public void An_ipv6_address_has_no_scope_or_brackets(string text, bool valid) => Assert.Equal(valid, PropertyPayload.TryIPv6(text, out _));

    [Fact]
    public void Text_is_what_the_store_can_hold() => Gen.Byte.Array[0, 20].Sample(payload =>
    {
        bool valid = payload.All(b => b is (>= 0x20 and < 0x7f) or 9 or 10 or 13);
        try
        {
            Assert.Equal(Encoding.ASCII.GetString(payload), PropertyPayload.ToText(payload));
            Assert.True(valid);
        }
        catch (QubesException e)
        {
            Assert.False(valid);
            Assert.Equal(
                payload.Any(b => b > 0x7f) ? "Non-ASCII bytes in property value" : "Invalid characters in property value", e.Message);
        }
    });

    [Fact]
    public void A_reference_is_empty_or_a_name()
    {
        Assert.Null(PropertyPayload.ToQubeName(""u8));
        Assert.Equal("work", PropertyPayload.ToQubeName("work"u8)?.Value);
        Assert.Throws<QubesException>(() => PropertyPayload.ToQubeName("none"u8));
    }
}
