using System.Text;
using CsCheck;
using Qubes.Protocol.Qrexec;

namespace Qubes.Protocol.Tests.Qrexec;

public sealed class QrexecMessageTests
{
    [Fact]
    public void A_header_is_two_little_endian_words()
    {
        byte[] message = QrexecHello.Message(4);
        Assert.Equal([0, 3, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0], message);
        Assert.True(QrexecHello.IsHello(QrexecHeader.Read(message)));
    }

    [Fact]
    public void Exec_requests_survive_the_wire() =>
        Gen.Select(Gen.UInt, Gen.UInt, Gen.Byte[1, 255].Array[0, 2000]).Sample((domain, port, command) =>
        {
            ExecRequest request = new(new ExecParams(domain, port), command);
            Assert.True(ExecRequest.TryRead(request.ToBody(), out ExecRequest read));
            Assert.Equal(request.Params, read.Params);
            Assert.Equal(command, read.Command.ToArray());
        });

    [Theory]
    [InlineData(8)]
    [InlineData(65536)]
    public void Exec_requests_of_the_wrong_length_are_refused(int length) => Assert.False(ExecRequest.TryRead(new byte[length], out _));

    [Fact]
    public void An_exec_request_without_its_NUL_is_refused() => Assert.False(ExecRequest.TryRead("12345678abc"u8.ToArray(), out _));

    [Fact]
    public void Triggers_of_version_4_survive_the_wire() =>
        Gen.Select(Gen.String[Gen.Char['a', 'z'], 0, 63], Gen.String[Gen.Char['A', 'Z'], 0, 63], Gen.String[Gen.Char['a', 'z'], 1, 300]).Sample((source, target, service) =>
        {
            RequestId id = RequestId.FromText("SOCKET12");
            byte[] body = TriggerService.Version4Body(
                Encoding.ASCII.GetBytes(source), Encoding.ASCII.GetBytes(target), id, Encoding.ASCII.GetBytes(service));
            Assert.Equal(new TriggerService(id, source, target, service), TriggerService.Read(QrexecMessageType.TriggerService4, body, out RequestId read));
            Assert.Equal(id, read);
        });

    [Fact]
    public void What_a_request_may_not_have_becomes_an_underscore()
    {
        byte[] body = TriggerService.Version4Body("a b\n"u8, "$x/@dispvm:y"u8, RequestId.FromText("SOCKET1"), "t.S+a/b c"u8);
        TriggerService call = TriggerService.Read(QrexecMessageType.TriggerService4, body, out _)!;
        Assert.Equal(("a_b_", "_x_@dispvm:y", "t.S+a_b_c"), (call.RequestedSource, call.Target, call.Service));
    }

    [Theory]
    [InlineData("")]
    [InlineData("+")]
    [InlineData("+a")]
    [InlineData("\0a")]
    [InlineData("a\0b")]
    [InlineData("a\0")]
    public void Requests_without_a_proper_service_are_refused(string service)
    {
        byte[] body = TriggerService.Version4Body("a"u8, "b"u8, RequestId.FromText("SOCKET1"), Encoding.ASCII.GetBytes(service));
        Assert.Null(TriggerService.Read(QrexecMessageType.TriggerService4, body, out RequestId id));
        Assert.Equal("SOCKET1", id.Text);
    }

    [Theory]
    [InlineData("SOCKET\u0001", false)]
    [InlineData("SOCKET\0x", false)]
    [InlineData("A b_C-9.", true)]
    [InlineData("", true)]
    public void Request_identifiers_are_checked(string text, bool valid)
    {
        byte[] field = new byte[QrexecLimits.RequestIdField];
        Encoding.Latin1.GetBytes(text).CopyTo(field, 0);
        Assert.Equal(valid, RequestId.FromField(field).IsValid);
    }

    [Fact]
    public void An_identifier_without_NUL_is_improper() =>
        Assert.False(RequestId.FromField(Enumerable.Repeat((byte)'a', QrexecLimits.RequestIdField).ToArray()).IsValid);

    [Theory]
    [InlineData(QrexecMessageType.TriggerService, 127, false)]
    [InlineData(QrexecMessageType.TriggerService, 128, true)]
    [InlineData(QrexecMessageType.TriggerService3, 96, false)]
    [InlineData(QrexecMessageType.TriggerService3, 97, true)]
    [InlineData(QrexecMessageType.TriggerService4, 160, false)]
    [InlineData(QrexecMessageType.TriggerService4, 65160, true)]
    [InlineData(QrexecMessageType.TriggerService4, 65161, false)]
    [InlineData(QrexecMessageType.Hello, 4, false)]
    public void Lengths_of_triggers_are_bounded(QrexecMessageType type, uint length, bool valid) =>
        Assert.Equal(valid, TriggerService.IsLengthValid(type, length));

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 2)]
    [InlineData(4, 4)]
    [InlineData(7, 4)]
    public void The_older_version_is_spoken(uint peer, uint common) => Assert.Equal(common, QrexecVersion.Negotiate(QrexecVersion.Control, peer));

    [Fact]
    public void A_short_status_counts_as_missing()
    {
        Assert.Equal(QrexecExitCode.Missing, QrexecExitCode.FromBody([1, 2, 3]));
        Assert.Equal(-1, QrexecExitCode.FromBody(QrexecExitCode.ToBody(-1)));
    }
}
