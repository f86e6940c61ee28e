using CsCheck;
using Qubes.Protocol.Errors;

namespace Qubes.Client.Tests;

public sealed class PropertyValueTests
{
    [Fact]
    public void A_value_runs_to_the_end() =>
        Assert.Equal(new PropertyValue(false, "str", "a b\nc"), PropertyValue.Parse("default=False type=str a b\nc"));

    [Fact]
    public void Empty_int_is_unset_and_empty_vm_is_none()
    {
        Assert.True(PropertyValue.Parse("default=True type=int ").IsUnset);
        Assert.True(PropertyValue.Parse("default=True type=vm ").IsNone);
        Assert.False(PropertyValue.Parse("default=True type=str ").IsNone);
    }

    [Theory]
    [InlineData("")]
    [InlineData("default=True")]
    [InlineData("default=Maybe type=str x")]
    [InlineData("default=True type=list x")]
    public void Another_form_is_refused(string content) => Assert.Throws<QubesException>(() => PropertyValue.Parse(content));

    [Fact]
    public void Escapes_of_a_list_come_back_as_they_were() =>
        Gen.String[Gen.Char["ab \\\n="], 0, 20].Sample(value =>
        {
            string line = $"kernelopts default=False type=str {value}".Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal);
            Assert.Equal(value, PropertyValue.ParseAll(line + "\n")["kernelopts"].Raw);
        });

    [Fact]
    public void An_unknown_escape_is_refused() =>
        Assert.Throws<QubesException>(() => PropertyValue.ParseAll("a default=True type=str \\t\n"));
}
