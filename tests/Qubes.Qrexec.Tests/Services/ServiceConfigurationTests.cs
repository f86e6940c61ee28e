using System.Text;
using CsCheck;
using Qubes.Qrexec.Services;

namespace Qubes.Qrexec.Tests.Services;

public sealed class ServiceConfigurationTests
{
    [Fact]
    public void All_keys_blanks_comments_and_line_ends_are_understood()
    {
        ServiceConfiguration configuration = Parse(
            "# comment\r\n\nwait-for-session = true # yes\nskip-service-descriptor\t=\ttrue\nexit-on-client-eof=true\r\nexit-on-service-eof=false");
        Assert.Equal(
            new ServiceConfiguration { WaitForSession = true, SkipServiceDescriptor = true, ExitOnClientEof = true }, configuration);
    }

    [Theory]
    [InlineData("wait-for-session=00")]
    [InlineData("wait-for-session=01")]
    [InlineData("wait-for-session=2")]
    [InlineData("wait-for-session=")]
    [InlineData("wait-for-session")]
    [InlineData("wait-for-session \"x\"")]
    [InlineData("force-user=\"root\"")]
    [InlineData("force-user='''root'''")]
    [InlineData("force-user='root")]
    [InlineData("force-user=true")]
    [InlineData("force-user='a' 'b'")]
    [InlineData("skip-service-descriptor=1")]
    [InlineData(" wait-for-session=1")]
    [InlineData("[section]")]
    [InlineData("1=1")]
    [InlineData("unknown=maybe")]
    [InlineData("wait-for-session=1\nwait-for-session=1")]
    [InlineData("wait-for-session=1\0")]
    [InlineData("force-user='root'\nexit-on-client-eof=true")]
    public void Broken_files_fail_the_call(string content) =>
        Assert.Equal(125, Assert.Throws<ServiceException>(() => Parse(content)).ExitCode);

    [Fact]
    public void Unknown_keys_are_reported_and_ignored()
    {
        List<string> warnings = [];
        ServiceConfiguration configuration = ServiceConfigurationParser.Parse("new-thing='x'\nforce-user='u'"u8, warnings.Add);
        Assert.Equal(new ServiceConfiguration { ForceUser = "u" }, configuration);
        Assert.Contains("new-thing", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_parse_or_fail_with_125() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            try
            {
                ServiceConfigurationParser.Parse(bytes);
            }
            catch (ServiceException e)
            {
                Assert.Equal(125, e.ExitCode);
            }
        });

    private static ServiceConfiguration Parse(string content) => ServiceConfigurationParser.Parse(Encoding.UTF8.GetBytes(content));
}
