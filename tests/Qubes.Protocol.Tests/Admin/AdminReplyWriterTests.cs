using System.Buffers;
using System.Text;
using CsCheck;
using Qubes.Protocol.Admin;

namespace Qubes.Protocol.Tests.Admin;

public sealed class AdminReplyWriterTests
{
    private static string Written(Action<IBufferWriter<byte>> write)
    {
        ArrayBufferWriter<byte> bytes = new();
        write(bytes);
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    [Fact]
    public void Success_without_a_result_is_two_bytes() => Assert.Equal("0\0", Written(w => AdminReplyWriter.WriteSuccess(w, "")));

    [Fact]
    public void Success_content_is_UTF8_without_terminator() =>
        Assert.Equal("0\0name=wörk\n", Written(w => AdminReplyWriter.WriteSuccess(w, "name=wörk\n")));

    [Fact]
    public void An_exception_has_class_traceback_and_message() =>
        Assert.Equal("2\0QubesVMNotFoundError\0\0No such domain: 'x'\0",
            Written(w => AdminReplyWriter.WriteException(w, "QubesVMNotFoundError", "No such domain: 'x'")));

    [Fact]
    public void A_percent_sign_is_doubled_because_clients_format_the_message() =>
        Assert.Equal("2\0E\0\0100%% of %%s%%\0", Written(w => AdminReplyWriter.WriteException(w, "E", "100% of %s%")));

    [Fact]
    public void The_artificial_first_event_has_the_bytes_clients_expect() =>
        Assert.Equal("1\0\0connection-established\0\0", Written(w =>
        {
            AdminReplyWriter.BeginEvent(w, "", "connection-established");
            AdminReplyWriter.EndEvent(w);
        }));

    [Fact]
    public void An_event_keyword_may_be_empty() =>
        Assert.Equal("1\0work\0property-set:netvm\0name\0netvm\0newvalue\0\0\0", Written(w =>
        {
            AdminReplyWriter.BeginEvent(w, "work", "property-set:netvm");
            AdminReplyWriter.WriteEventKeyword(w, "name", "netvm");
            AdminReplyWriter.WriteEventKeyword(w, "newvalue", "");
            AdminReplyWriter.EndEvent(w);
        }));

    [Fact]
    public void An_event_keyword_needs_a_name() =>
        Assert.Throws<ArgumentException>(() => AdminReplyWriter.WriteEventKeyword(new ArrayBufferWriter<byte>(), "", "x"));

    [Fact]
    public void No_text_can_break_the_framing_of_an_exception() =>
        Gen.String.Sample(message =>
        {
            string written = Written(w => AdminReplyWriter.WriteException(w, "QubesException", message));
            Assert.StartsWith("2\0QubesException\0\0", written, StringComparison.Ordinal);
            Assert.EndsWith("\0", written, StringComparison.Ordinal);
            Assert.Equal(4, written.Count(c => c == '\0'));
        });

    [Fact]
    public void No_value_can_forge_a_keyword() =>
        Gen.String.Sample(value =>
        {
            string written = Written(w =>
            {
                AdminReplyWriter.BeginEvent(w, "work", "e");
                AdminReplyWriter.WriteEventKeyword(w, "k", value);
                AdminReplyWriter.EndEvent(w);
            });
            Assert.Equal(6, written.Count(c => c == '\0'));
        });
}
