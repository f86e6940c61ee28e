using System.Globalization;
using System.Text;
using CsCheck;
using Qubes.Protocol.Text;

namespace Qubes.Protocol.Tests.Text;

public sealed class DisplayTextTests
{
    [Theory]
    [InlineData("plain ~ text\twith\nlines", "plain ~ text\twith\nlines")]
    [InlineData("\b \u00a0 \u200b \u200c \u200d", "_ _ _ _ _")]
    [InlineData("\r\0\u007f\u0085", "____")]
    [InlineData("äß Ω Ж 漢字 かな 한글 ½ € ≠ « »", "äß Ω Ж 漢字 かな 한글 ½ € ≠ « »")]
    [InlineData("שלום", "____")]
    [InlineData("नम", "__")]
    [InlineData("e\u0301", "e_")]
    [InlineData("\u202egpj.exe", "_gpj.exe")]
    [InlineData("\U0001F600 ☺ ™", "_ _ _")]
    [InlineData("\U00020000", "\U00020000")]
    public void Characters_that_could_mislead_become_underscores(string text, string shown) => Assert.Equal(shown, DisplayText.Sanitise(text));

    [Fact]
    public void What_was_made_safe_stays_as_it_is() => Gen.String.Sample(text =>
    {
        string once = DisplayText.Sanitise(text);
        Assert.Equal(once, DisplayText.Sanitise(once));
        Assert.Equal(text.EnumerateRunes().Count(), once.EnumerateRunes().Count());
    });

    [Fact]
    public void No_mark_space_control_or_private_character_is_safe()
    {
        for (int value = 0x7f; value <= 0x10ffff; value++)
        {
            if (Rune.IsValid(value) && DisplayText.IsSafe(new Rune(value)))
            {
                Assert.True(Rune.GetUnicodeCategory(new Rune(value)) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
                    or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.SpaceSeparator or UnicodeCategory.Control or UnicodeCategory.Format
                    or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate or UnicodeCategory.OtherSymbol or UnicodeCategory.ModifierSymbol),
                    value.ToString("x", CultureInfo.InvariantCulture));
            }
        }
    }
}
