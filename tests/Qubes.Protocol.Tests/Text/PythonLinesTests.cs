using Qubes.Protocol.Text;

namespace Qubes.Protocol.Tests.Text;

public sealed class PythonLinesTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("a\n", "a")]
    [InlineData("a\r\nb\rc\n", "a|b|c")]
    [InlineData("a\n\nb", "a||b")]
    [InlineData("\n", "")]
    [InlineData("a\vb\fc\u001cd\u001de\u001ef\u001fg", "a|b|c|d|e|f\u001fg")]
    [InlineData("a\n\rb", "a||b")]
    public void Lines_end_where_python_ends_them(string text, string lines) => Assert.Equal(lines, string.Join('|', PythonLines.Split(text)));

    [Fact]
    public void An_empty_text_has_no_line_and_a_line_feed_alone_has_one()
    {
        Assert.Empty(PythonLines.Split(""));
        Assert.Single(PythonLines.Split("\n"));
    }
}
