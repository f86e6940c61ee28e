using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Daemon;

/// <summary>Body of SERVICE_CONNECT as the daemon itself sends it to its agent.</summary>
internal static class ServiceConnect
{
    // 0   exec_params (8): where the service side is
    // 8   ident[32]
    public static byte[] Body(ExecParams link, RequestId id)
    {
        byte[] body = new byte[ExecParams.Size + QrexecLimits.RequestIdField];
        link.Write(body);
        id.Field.Span.CopyTo(body.AsSpan(ExecParams.Size));
        return body;
    }
}
