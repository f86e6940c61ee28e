using System.Text;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Protocol.Tests.Names;

public sealed class OtherNameTests
{
    [Theory]
    [InlineData("", "tag cannot be empty")]
    [InlineData("a.b", "disallowed characters")]
    [InlineData("a b", "disallowed characters")]
    [InlineData("ä", "disallowed characters")]
    public void Bad_tags_are_protocol_errors(string tag, string reason)
    {
        ProtocolErrorException error = Assert.Throws<ProtocolErrorException>(() => TagName.Parse(tag));
        Assert.Equal("QubesInvalidTagError", error.WireName);
        Assert.Equal(reason, error.Message);
    }

    [Fact]
    public void A_tag_may_have_letters_digits_dash_and_underscore() => Assert.Equal("created-by_X9", TagName.Parse("created-by_X9").Value);

    [Fact]
    public void A_feature_is_checked_for_ascii_then_name_then_printable_value()
    {
        Assert.Equal(
            "Feature value contains non-ASCII characters",
            Assert.Throws<ProtocolErrorException>(() => FeatureName.ParseAssignment("a/b", "ä"u8)).Message);
        Assert.Equal(
            "feature name contains illegal characters",
            Assert.Throws<ProtocolErrorException>(() => FeatureName.ParseAssignment("a/b", "\n"u8)).Message);
        Assert.Equal(
            "a.b value contains illegal characters",
            Assert.Throws<ProtocolErrorException>(() => FeatureName.ParseAssignment("a.b", "\n"u8)).Message);
        (FeatureName name, string value) = FeatureName.ParseAssignment("a.b", " ~"u8);
        Assert.Equal(("a.b", " ~"), (name.Value, value));
        Assert.Equal("", FeatureName.ParseAssignment("a", ""u8).Value);
    }

    [Fact]
    public void A_label_of_digits_exists_but_cannot_be_created()
    {
        Assert.Equal("12", LabelName.Parse("12", forCreation: false).Value);
        ProtocolErrorException error = Assert.Throws<ProtocolErrorException>(() => LabelName.Parse("12", forCreation: true));
        Assert.Equal(("QubesInvalidLabelError", "Label must not be a digit"), (error.WireName, error.Message));
        Assert.Equal("Label name must be set", Assert.Throws<ProtocolErrorException>(() => LabelName.Parse("", forCreation: false)).Message);
        Assert.StartsWith(
            "Label must be in safe set: abc", Assert.Throws<ProtocolErrorException>(() => LabelName.Parse("a b", forCreation: false)).Message);
    }

    [Theory]
    [InlineData("é", "Label value must be encoded in ASCII")]
    [InlineData("0x12345", "Label value must have length of 8")]
    [InlineData("0X123456", "Label value must start with: 0x")]
    [InlineData("0x12345g", "Label value must only contain hexadecimal digits after prefix: 0123456789abcdefABCDEF")]
    public void Bad_colours_are_refused_in_order(string color, string reason) =>
        Assert.Equal(reason, Assert.Throws<ProtocolErrorException>(() => LabelColor.Parse(Encoding.UTF8.GetBytes(color))).Message);

    [Fact]
    public void A_colour_loses_the_blanks_around_it() => Assert.Equal("0x00fFfe", LabelColor.Parse(" 0x00fFfe\n"u8).Value);

    [Theory]
    [InlineData("12345678-1234-1234-1234-1234567890ab", true)]
    [InlineData("12345678-1234-1234-1234-1234567890AB", false)]
    [InlineData("12345678-1234-1234-1234-1234567890a", false)]
    [InlineData("12345678-1234-1234-1234-1234567890ag", false)]
    [InlineData("123456781234-1234-1234-1234-567890ab", false)]
    [InlineData("", false)]
    public void A_uuid_on_the_wire_is_canonical(string text, bool valid)
    {
        if (valid)
        {
            Assert.Equal("uuid:" + text, QubeUuid.ParseWire(text).WireText);
        }
        else
        {
            QubesException error = Assert.Throws<QubesException>(() => QubeUuid.ParseWire(text));
            Assert.Equal(("QubesVMInvalidUUIDError", $"VM UUID is not valid: '{text}'"), (error.WireName, error.Message));
        }
    }

    [Theory]
    [InlineData("{12345678-1234-1234-1234-1234567890AB}")]
    [InlineData("urn:uuid:12345678-1234-1234-1234-1234567890ab")]
    [InlineData("1234567812341234123412345678 90ab", false)]
    [InlineData("123456781234123412341234567890ab")]
    public void A_uuid_as_a_property_may_be_written_in_several_ways(string text, bool valid = true)
    {
        Assert.Equal(valid, QubeUuid.TryParseLenient(text, out QubeUuid uuid));
        Assert.Equal(valid ? "12345678-1234-1234-1234-1234567890ab" : Guid.Empty.ToString(), uuid.ToString());
    }
}
