using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Data;
using Qubes.Qrexec.IO;
using Qubes.Qrexec.Services;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Daemon;

/// <summary>A service of the host and its end of a call: it is started first, then joined to the caller's vchan, or the caller is told why not.</summary>
internal sealed class HostService : IDisposable
{
    private readonly RunningService? _running;
    private readonly int _failure;

    private HostService(RunningService? running, int failure)
    {
        _running = running;
        _failure = failure;
    }

    /// <summary>Starts the service of <paramref name="call"/>. A failure is not an exception: the caller still has to be told of it.</summary>
    /// <param name="warn">Told what goes wrong.</param>
    public static async Task<HostService> StartAsync(
        ServiceLookup services, QrexecServiceCall call, Action<string> warn, CancellationToken cancellation)
    {
        try
        {
            ServiceConfiguration configuration = services.LoadConfiguration(call, warn);
            if (configuration.WaitForSession)
            {
                await new SessionWaiter(services).WaitAsync(Environment.UserName, call.Source, StandardError.Handle, cancellation);
            }

            QrexecService service = services.FindService(call);
            return new HostService(await ServiceLauncher.StartAsync(service, call, configuration, StandardError.Handle, cancellation), failure: 0);
        }
        catch (ServiceException e)
        {
            warn(e.Message);
            return new HostService(null, e.ExitCode);
        }
    }

    /// <summary>Carries the call over <paramref name="vchan"/>, which it takes over. Returns the service's status.</summary>
    /// <exception cref="VchanClosedException">The caller went away before its HELLO.</exception>
    /// <exception cref="QrexecProtocolException">The caller breaks the protocol.</exception>
    public async Task<int> CarryAsync(IVchan vchan, CancellationToken cancellation)
    {
        await using (vchan)
        {
            DataLink link = await DataLink.HandshakeAsync(vchan, writeFirst: false, cancellation);
            if (_running is null)
            {
                await ServiceEnd.SendFailureAsync(link, _failure, cancellation);
                return _failure;
            }

            return await ServiceEnd.RunAsync(link, _running, error: null, cancellation);
        }
    }

    public void Dispose() => _running?.Dispose();
}
