using CsCheck;
using Qubes.Model.Events;

namespace Qubes.Model.Tests.Events;

public sealed class EventPatternTests
{
    [Theory]
    [InlineData("property-set:*", "property-set:memory", true)]
    [InlineData("property-set:*", "property-set:", true)]
    [InlineData("property-set:*", "property-pre-set:memory", false)]
    [InlineData("*", "", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("*a*b*", "xxaxxbxx", true)]
    [InlineData("*a*b", "ab-b-c", false)]
    [InlineData("[abc]x", "bx", true)]
    [InlineData("[!abc]x", "bx", false)]
    [InlineData("[!abc]x", "dx", true)]
    [InlineData("[a-c]", "b", true)]
    [InlineData("[a-c]", "-", false)]
    [InlineData("[]]", "]", true)]
    [InlineData("[!]]", "]", false)]
    [InlineData("[x", "[x", true)]
    [InlineData("Property", "property", false)]
    public void Patterns_match_as_in_a_shell(string pattern, string name, bool matches) =>
        Assert.Equal(matches, new EventPattern(pattern).Matches(name));

    [Fact]
    public void A_star_matches_whatever_stands_in_its_place() => Gen.Select(Gen.String.AlphaNumeric, Gen.String, Gen.String.AlphaNumeric)
        .Sample((head, middle, tail) => new EventPattern(head + "*" + tail).Matches(head + middle + tail));

    [Fact]
    public void Many_stars_do_not_take_forever() =>
        Assert.False(new EventPattern(string.Concat(Enumerable.Repeat("a*", 50)) + "b").Matches(new string('a', 2000)));
}
