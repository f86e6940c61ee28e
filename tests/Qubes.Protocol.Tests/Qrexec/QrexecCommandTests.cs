using System.Text;
using CsCheck;
using Qubes.Protocol.Qrexec;

namespace Qubes.Protocol.Tests.Qrexec;

public sealed class QrexecCommandTests
{
    [Fact]
    public void A_service_command_is_taken_apart()
    {
        QrexecCommand command = Parse("user:nogui:QUBESRPC test.Svc+a+b work name dom0")!;
        Assert.Equal(("user", true), (command.User, command.NoGui));
        QrexecServiceCall call = command.Service!;
        Assert.Equal(("test.Svc", "a+b", "work", "test.Svc+a+b"), (call.ServiceName, call.Argument, call.Source, call.FullName));
        Assert.Equal("test.Svc+a+b work name dom0", call.DescriptorLine);
        Assert.True(call.TryGetTarget(out string? type, out string? target));
        Assert.Equal(("name", "dom0"), (type, target));
    }

    [Fact]
    public void A_missing_argument_is_not_an_empty_one()
    {
        Assert.Null(Parse("u:QUBESRPC a.B w")!.Service!.Argument);
        Assert.Equal("a.B+", Parse("u:QUBESRPC a.B w")!.Service!.FullName);
        Assert.Equal("", Parse("u:QUBESRPC a.B+ w")!.Service!.Argument);
    }

    [Theory]
    [InlineData("no colon")]
    [InlineData("u:QUBESRPC")]
    [InlineData("u:QUBESRPCa.B w")]
    [InlineData("u:QUBESRPC a.B")]
    [InlineData("u:QUBESRPC  w")]
    [InlineData("u:QUBESRPC a.B ")]
    [InlineData("u:QUBESRPC +a w")]
    [InlineData("u:QUBESRPC ../a w")]
    public void Unusable_commands_are_refused(string command) => Assert.Null(Parse(command));

    [Fact]
    public void A_service_name_longer_than_a_file_name_is_refused()
    {
        Assert.NotNull(Parse($"u:QUBESRPC {new string('a', 255)}+{new string('b', 60_000)} w"));
        Assert.Null(Parse($"u:QUBESRPC {new string('a', 256)} w"));
        Assert.Null(Parse($"u:QUBESRPC a+{new string('b', 65_000)} w"));
    }

    [Fact]
    public void A_shell_command_keeps_every_byte() =>
        Gen.Byte[1, 255].Array[0, 200].Sample(bytes =>
        {
            QrexecCommand? command = QrexecCommand.Parse([.. "user:x"u8, .. bytes], hasUser: true);
            Assert.Equal([(byte)'x', .. bytes], QrexecCommand.ToBytes(command!.Text));
            Assert.Equal("user", command.User);
        });

    [Theory]
    [InlineData("DEFAULT:true", "alice:true")]
    [InlineData("DEFAULTx:true", "DEFAULTx:true")]
    [InlineData("user:DEFAULT:", "user:DEFAULT:")]
    public void The_default_user_is_put_in_only_for_exactly_its_place_holder(string command, string expected) =>
        Assert.Equal(expected, Encoding.ASCII.GetString(QrexecCommand.SubstituteDefaultUser(Encoding.ASCII.GetBytes(command), "alice").Span));

    private static QrexecCommand? Parse(string command) => QrexecCommand.Parse(Encoding.Latin1.GetBytes(command), hasUser: true);
}
