using Qubes.Protocol.Text;

namespace Qubes.Protocol.Tests.Text;

public sealed class PythonTextTests
{
    [Theory]
    [InlineData("work", "'work'")]
    [InlineData("", "''")]
    [InlineData("it's", "\"it's\"")]
    [InlineData("a\"b", "'a\"b'")]
    [InlineData("'\"", "'\\'\"'")]
    [InlineData("a\\b\n\r\t", "'a\\\\b\\n\\r\\t'")]
    [InlineData("\0\u007f\u0085", "'\\x00\\x7f\\x85'")]
    [InlineData("\u200b\u00e4\u00a0", "'\\u200bä\\xa0'")]
    [InlineData("\U0001F600", "'\U0001F600'")]
    public void A_text_prints_as_python_prints_it(string text, string repr) => Assert.Equal(repr, PythonText.Repr(text));
}
