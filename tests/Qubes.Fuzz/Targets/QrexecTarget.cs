using System.Text;
using Qubes.Protocol.Qrexec;

namespace Qubes.Fuzz.Targets;

/// <summary>Messages and command strings of qrexec. What a parser accepts must be sane and survive being written and read again.</summary>
internal sealed class QrexecTarget : IFuzzTarget
{
    public string Name => "qrexec";

    public IEnumerable<byte[]> Seeds =>
    [
        QrexecHeader.Message(
            QrexecMessageType.TriggerService4, TriggerService.Version4Body("relay"u8, "@default"u8, RequestId.FromText("SOCKET7"), "test.Service+arg"u8)),
        QrexecHeader.Message(QrexecMessageType.TriggerService3, [.. new byte[64], .. RequestId.FromText("SOCKET1").Field.Span, .. "a.B+\0"u8]),
        QrexecHeader.Message(QrexecMessageType.TriggerService, new byte[128]),
        new ExecRequest(new ExecParams(7, 513), "user:nogui:QUBESRPC test.Service+a work name dom0"u8.ToArray()).ToMessage(QrexecMessageType.ExecCmdline),
        QrexecHello.Message(QrexecVersion.Control),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < QrexecHeader.Size)
        {
            return;
        }

        QrexecHeader header = QrexecHeader.Read(input);
        ReadOnlySpan<byte> body = input[QrexecHeader.Size..];
        if (TriggerService.IsLengthValid(header.Type, (uint)body.Length)
            && TriggerService.Read(header.Type, body, out RequestId id) is { } call)
        {
            Require(id.IsValid && call.Service.Length > 0 && call.Service[0] != '+', "unsound request");
            Require(Ascii.IsValid(call.Service) && !call.Service.AsSpan().ContainsAny(' ', '/', '\n'), "unsanitised service");
            Require(Ascii.IsValid(call.Target) && !call.Target.AsSpan().ContainsAny(' ', '/', '\n'), "unsanitised target");
        }

        if (ExecRequest.TryRead(body.ToArray(), out ExecRequest request))
        {
            Require(ExecRequest.TryRead(request.ToBody(), out ExecRequest again) && again.Command.Span.SequenceEqual(request.Command.Span), "exec round trip");
            Check(QrexecCommand.Parse(request.Command.Span, hasUser: true));
            Check(QrexecCommand.Parse(request.Command.Span, hasUser: false));
        }
    }

    private static void Check(QrexecCommand? command)
    {
        if (command?.Service is { } service)
        {
            Require(service.ServiceName.Length is > 0 and <= QrexecLimits.ServiceName && !service.ServiceName.Contains('/', StringComparison.Ordinal), "service name");
            Require(service.Source.Length > 0 && service.DescriptorLine.StartsWith(service.Descriptor + " " + service.Source, StringComparison.Ordinal), "descriptor");
            service.TryGetTarget(out _, out _);
        }
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException(what);
        }
    }
}
