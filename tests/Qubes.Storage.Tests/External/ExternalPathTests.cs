using Qubes.Protocol.Errors;

namespace Qubes.Storage.Tests.External;

/// <summary>Paths that drivers name.</summary>
public sealed class ExternalPathTests
{
    [Theory]
    [InlineData("/dev/vg/vm-work")]
    [InlineData("/var/lib/my pools/a,b.img")]
    public void A_plain_path_is_taken(string path) => Assert.Equal(path, ExternalPath.Checked(path));

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("disk")]
    [InlineData("./disk")]
    [InlineData("/a/")]
    [InlineData("//a")]
    [InlineData("/a//b")]
    [InlineData("/a/./b")]
    [InlineData("/a/../b")]
    [InlineData("/a\tb")]
    [InlineData("/a\u0001")]
    [InlineData("/ä")]
    public void Any_other_is_not(string path) =>
        Assert.IsType<FormatException>(Assert.Throws<QubesException>(() => ExternalPath.Checked(path)).InnerException);

    [Fact]
    public void One_that_is_too_long_is_not() => Assert.Throws<QubesException>(() => ExternalPath.Checked("/" + new string('a', 1024)));
}
