using System.Text;
using CsCheck;
using Qubes.Protocol.Errors;

namespace Qubes.Client.Tests;

public sealed class AdminReplyTests
{
    [Fact]
    public void Success_yields_the_content() =>
        Assert.Equal("a\0b", Encoding.UTF8.GetString(AdminReply.Content("0\0a\0b"u8.ToArray()).Span));

    [Fact]
    public void An_exception_carries_its_class_and_text()
    {
        QubesException error = Fails("2\0QubesVMNotRunningError\0\0Domain not running: 'x'\0");
        Assert.Equal("QubesVMNotRunningError", error.WireName);
        Assert.Equal("Domain not running: 'x'", error.Message);
        Assert.True(error.Is(QubesErrorNames.VMNotStarted));
    }

    [Theory]
    [InlineData("100%% sure\0", "100% sure")]
    [InlineData("%s is %d\0work\07\0", "work is 7")]
    [InlineData("%r\0work\0", "'work'")]
    [InlineData("50% off\0", "50% off")]
    [InlineData("%s and %s\0one\0", "one and %s")]
    public void A_message_is_a_format_for_its_fields(string fields, string text) =>
        Assert.Equal(text, Fails("2\0QubesException\0\0" + fields).Message);

    [Fact]
    public void No_reply_at_all_is_a_refusal()
    {
        QubesException error = Fails("");
        Assert.True(ClientErrors.IsAccess(error));
        Assert.StartsWith("Got empty response from qubesd", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("9\0x")]
    [InlineData("2\0QubesException\0")]
    [InlineData("hello")]
    public void Anything_else_is_a_broken_peer(string reply) =>
        Assert.Equal(ClientErrors.CommunicationError, Fails(reply).WireName);

    [Fact]
    public void Any_bytes_are_content_or_a_named_error() =>
        Gen.Byte.Array.Sample(bytes =>
        {
            try
            {
                AdminReply.Content(bytes);
            }
            catch (QubesException)
            {
            }
        });

    private static QubesException Fails(string reply) =>
        Assert.Throws<QubesException>(() => AdminReply.Content(Encoding.UTF8.GetBytes(reply)));
}
