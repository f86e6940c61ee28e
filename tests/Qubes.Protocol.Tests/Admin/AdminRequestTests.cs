using System.Buffers;
using System.Text;
using CsCheck;
using Qubes.Protocol.Admin;

namespace Qubes.Protocol.Tests.Admin;

public sealed class AdminRequestTests
{
    private static (string Method, string Argument, string Source, string Destination, string Payload) Parse(string request)
    {
        AdminRequestError error = AdminRequest.TryParse(Encoding.Latin1.GetBytes(request), out AdminRequest parsed);
        Assert.Equal(AdminRequestError.None, error);
        return (Encoding.Latin1.GetString(parsed.UntrustedMethod), Encoding.Latin1.GetString(parsed.UntrustedArgument),
            Encoding.Latin1.GetString(parsed.UntrustedSource), Encoding.Latin1.GetString(parsed.UntrustedDestination),
            Encoding.Latin1.GetString(parsed.UntrustedPayload));
    }

    private static AdminRequestError ErrorOf(string request) =>
        AdminRequest.TryParse(Encoding.Latin1.GetBytes(request), out _);

    [Fact]
    public void A_call_is_split_into_its_parts() =>
        Assert.Equal(("admin.vm.property.Get", "netvm", "dom0", "work", ""), Parse("admin.vm.property.Get+netvm dom0 name work\0"));

    [Fact]
    public void A_call_without_plus_has_an_empty_argument() =>
        Assert.Equal(("admin.vm.List", "", "dom0", "dom0", ""), Parse("admin.vm.List dom0 name dom0\0"));

    [Fact]
    public void Further_plus_signs_belong_to_the_argument() =>
        Assert.Equal("a+b+", Parse("m+a+b+ dom0 name dom0\0").Argument);

    [Fact]
    public void Further_spaces_belong_to_the_destination() =>
        Assert.Equal("work  two ", Parse("m+ dom0 name work  two \0").Destination);

    [Fact]
    public void The_payload_may_hold_NUL_and_any_byte() =>
        Assert.Equal("a\0b\u00ff\n", Parse("m+ dom0 name work\0a\0b\u00ff\n").Payload);

    [Fact]
    public void The_keyword_adminvm_means_dom0() =>
        Assert.Equal("dom0", Parse("admin.vm.List+ mgmt keyword adminvm\0").Destination);

    [Theory]
    [InlineData("", AdminRequestError.NoHeaderEnd)]
    [InlineData("m+ dom0 name work", AdminRequestError.NoHeaderEnd)]
    [InlineData("\0", AdminRequestError.MissingField)]
    [InlineData("m+ dom0 name\0", AdminRequestError.MissingField)]
    [InlineData("m+ dom0 Name work\0", AdminRequestError.UnknownDestinationType)]
    [InlineData("m+ dom0  name work\0", AdminRequestError.UnknownDestinationType)]
    [InlineData("m+ dom0 keyword @adminvm\0", AdminRequestError.UnknownDestinationKeyword)]
    [InlineData("m+ dom0 keyword default\0", AdminRequestError.UnknownDestinationKeyword)]
    [InlineData("m+ dom0 keyword dispvm\0", AdminRequestError.UnknownDestinationKeyword)]
    [InlineData("m+ dom\u00e9 name work\0", AdminRequestError.NotAscii)]
    [InlineData("m\u00ff+ dom0 name work\0", AdminRequestError.NotAscii)]
    public void Bad_framing_is_named(string request, AdminRequestError expected)
    {
        Assert.Equal(expected, ErrorOf(request));
        Assert.NotEqual("framing error", AdminRequestErrorText.Of(expected));
    }

    [Fact]
    public void The_limit_counts_header_NUL_and_payload()
    {
        const string header = "m+ dom0 name work\0";
        Assert.Equal(AdminRequestError.None, ErrorOf(header + new string('x', AdminLimits.MaxRequestBytes - header.Length)));
        Assert.Equal(AdminRequestError.TooLong, ErrorOf(header + new string('x', AdminLimits.MaxRequestBytes - header.Length + 1)));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        Gen<string> word = Gen.Char['!', '~'].Where(c => c != '+').Array[1, 30].Select(c => new string(c));
        Gen<string> argument = Gen.Char['!', '~'].Array[0, 60].Select(c => new string(c));
        Gen<string> destination = Gen.Char[' ', '~'].Array[0, 60].Select(c => new string(c));
        Gen.Select(word, argument, word, destination, Gen.Byte.Array[0, 200]).Sample((method, arg, source, dest, payload) =>
        {
            ArrayBufferWriter<byte> bytes = new();
            AdminRequestWriter.Write(bytes, method, arg, source, dest, payload);
            Assert.Equal(AdminRequestError.None, AdminRequest.TryParse(bytes.WrittenSpan, out AdminRequest read));
            Assert.Equal(method, Encoding.ASCII.GetString(read.UntrustedMethod));
            Assert.Equal(arg, Encoding.ASCII.GetString(read.UntrustedArgument));
            Assert.Equal(source, Encoding.ASCII.GetString(read.UntrustedSource));
            Assert.Equal(dest, Encoding.ASCII.GetString(read.UntrustedDestination));
            Assert.Equal(payload, read.UntrustedPayload.ToArray());
        });
    }

    [Theory]
    [InlineData("m m", "", "dom0", "work")]
    [InlineData("m+", "", "dom0", "work")]
    [InlineData("m", "a b", "dom0", "work")]
    [InlineData("m", "a\0", "dom0", "work")]
    [InlineData("m", "", "do m0", "work")]
    [InlineData("m", "", "dom0", "wo\0rk")]
    [InlineData("m", "", "dom0", "wörk")]
    public void A_part_that_would_change_the_framing_is_not_written(string method, string argument, string source, string destination) =>
        Assert.Throws<ArgumentException>(() =>
            AdminRequestWriter.Write(new ArrayBufferWriter<byte>(), method, argument, source, destination, default));
}
