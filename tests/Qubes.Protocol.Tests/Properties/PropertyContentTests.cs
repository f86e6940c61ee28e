using CsCheck;
using Qubes.Protocol.Properties;

namespace Qubes.Protocol.Tests.Properties;

public sealed class PropertyContentTests
{
    [Fact]
    public void An_unset_property_keeps_its_trailing_blank() => Assert.Equal("default=True type=str ", new PropertyContent(true, "str", "").ToString());

    [Fact]
    public void Every_content_is_read_back() => Gen.Select(Gen.Bool, Gen.OneOf(Gen.Const("vm"), Gen.Const("int"), Gen.Const("bool"), Gen.Const("label"), Gen.Const("str")), Gen.String)
        .Sample((isDefault, type, value) =>
        {
            PropertyContent content = new(isDefault, type, value);
            Assert.True(PropertyContent.TryParse(content.ToString(), out PropertyContent read));
            Assert.Equal(content, read);
        });

    [Fact]
    public void Every_line_of_GetAll_is_read_back_and_stays_one_line() => Gen.Select(Gen.Bool, Gen.String).Sample((isDefault, value) =>
    {
        PropertyContent content = new(isDefault, "str", value);
        string line = content.FormatLine("kernelopts");
        Assert.Equal(line.Length - 1, line.IndexOf('\n', StringComparison.Ordinal));
        Assert.True(PropertyContent.TryParseLine(line[..^1], out string? name, out PropertyContent read));
        Assert.Equal(("kernelopts", content), (name, read));
    });

    [Theory]
    [InlineData("")]
    [InlineData("default=True")]
    [InlineData("default=True type=")]
    [InlineData("default=true type=str x")]
    [InlineData("default=True type=str")]
    [InlineData("default=True str x")]
    public void Malformed_contents_are_refused(string content) => Assert.False(PropertyContent.TryParse(content, out _));

    [Theory]
    [InlineData("name default=True type=str a\\b")]
    [InlineData("name default=True type=str a\\")]
    [InlineData(" default=True type=str a")]
    public void Malformed_lines_are_refused(string line) => Assert.False(PropertyContent.TryParseLine(line, out _, out _));

    [Fact]
    public void A_default_has_a_type_and_a_value()
    {
        Assert.True(PropertyContent.TryParseDefault(PropertyContent.FormatDefault("vm", ""), out string? type, out string? value));
        Assert.Equal(("vm", ""), (type, value));
        Assert.False(PropertyContent.TryParseDefault("", out _, out _));
    }
}
