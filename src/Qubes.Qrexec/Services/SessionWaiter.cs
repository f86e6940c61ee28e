using System.Net.Sockets;
using System.Runtime.InteropServices;
using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Services;

/// <summary>
/// Runs <c>qubes.WaitForSession</c> for services that want the user's session to be there. Whatever becomes of it, the service
/// runs afterwards: a session that can not be waited for is no reason to refuse the call.
/// </summary>
public sealed class SessionWaiter(ServiceLookup lookup)
{
    private const string ServiceName = "qubes.WaitForSession";

    /// <summary>Returns when the helper has ended.</summary>
    /// <param name="user">The user whose session is waited for; the helper reads it from its input.</param>
    /// <param name="source">The qube the waiting call comes from.</param>
    /// <param name="standardError">Descriptor 2 of the helper; null is <c>/dev/null</c>.</param>
    public async Task WaitAsync(string user, string source, SafeHandle? standardError, CancellationToken cancellation)
    {
        QrexecCommand? command = QrexecCommand.Parse(QrexecCommand.ToBytes($"QUBESRPC {ServiceName} {source}"), hasUser: false);
        if (command?.Service is not { } call)
        {
            return;
        }

        try
        {
            QrexecService service = lookup.FindService(call);
            using RunningService running = await ServiceLauncher.StartAsync(
                service, call, ServiceConfiguration.Default, standardError, cancellation);
            await running.Input.SendAsync(QrexecCommand.ToBytes(user + "\n"), cancellation);
            running.Input.Shutdown(SocketShutdown.Send);
            await running.ExitStatus.WaitAsync(cancellation);
        }
        catch (Exception e) when (e is ServiceException or SocketException)
        {
            // Not there, or it does not listen: the call goes on.
        }
    }
}
