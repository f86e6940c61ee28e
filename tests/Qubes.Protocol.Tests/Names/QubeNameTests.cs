using CsCheck;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Protocol.Tests.Names;

public sealed class QubeNameTests
{
    [Theory]
    [InlineData("work")]
    [InlineData("a")]
    [InlineData("A1_.-b")]
    [InlineData("None")]
    [InlineData("Default")]
    [InlineData("dom0")]
    [InlineData("abcdefghijabcdefghijabcdefghija")]
    public void Valid_names_are_taken_as_they_are(string name) => Assert.Equal(name, QubeName.Parse(name).Value);

    [Theory]
    [InlineData("abcdefghijabcdefghijabcdefghijab", "VM name must be shorter than 32 characters")]
    [InlineData("1abc", "VM name cannot start with hyphen, underscore, dot or numbers")]
    [InlineData("_abc", "VM name cannot start with hyphen, underscore, dot or numbers")]
    [InlineData(".abc", "VM name cannot start with hyphen, underscore, dot or numbers")]
    [InlineData("-abc", "VM name cannot start with hyphen, underscore, dot or numbers")]
    [InlineData("", "VM name contains illegal characters")]
    [InlineData("a b", "VM name contains illegal characters")]
    [InlineData("a/b", "VM name contains illegal characters")]
    [InlineData("a\n", "VM name contains illegal characters")]
    [InlineData("é", "VM name contains illegal characters")]
    [InlineData("Domain-0", "VM name cannot be 'Domain-0'")]
    [InlineData("none", "VM name cannot be 'none' nor 'default'")]
    [InlineData("default", "VM name cannot be 'none' nor 'default'")]
    [InlineData("work-dm", "VM name cannot end with -dm")]
    public void Invalid_names_are_refused_with_the_reason(string name, string reason)
    {
        QubesException error = Assert.Throws<QubesException>(() => QubeName.Parse(name));
        Assert.Equal("QubesValueError", error.WireName);
        Assert.Equal(reason, error.Message);
        Assert.False(QubeName.TryParse(name, out _));
    }

    [Fact]
    public void What_is_accepted_has_only_safe_characters() => Gen.String[0, 40].Sample(text =>
    {
        if (QubeName.TryParse(text, out QubeName name))
        {
            Assert.Equal(text, name.Value);
            Assert.Matches("^[a-zA-Z][a-zA-Z0-9_.-]{0,30}\\z", text);
        }
    });

    [Fact]
    public void Names_are_ordered_by_bytes() =>
        Assert.Equal(["B", "a", "a-", "a.", "aa"], new[] { "aa", "a.", "a-", "B", "a" }.Select(QubeName.Parse).Order().Select(n => n.Value));
}
