namespace Qubes.Qrexec.Vchan;

/// <summary>
/// A way to reach other domains. Domains are numbers as in qrexec messages (0 is dom0); the own domain is a matter of the transport.
/// </summary>
public interface IVchanTransport
{
    /// <summary>Becomes the server towards <paramref name="domain"/> on <paramref name="port"/>. When it returns, clients can connect.</summary>
    /// <exception cref="VchanException">The place is taken or can not be listened on.</exception>
    ValueTask<IVchanListener> ListenAsync(uint domain, uint port, CancellationToken cancellationToken = default);

    /// <summary>
    /// Connects to the server that <paramref name="domain"/> has on <paramref name="port"/>, waiting for the server to appear: the caller limits the time
    /// with <paramref name="cancellationToken"/>.
    /// </summary>
    /// <exception cref="VchanException">The other side refuses.</exception>
    ValueTask<IVchan> ConnectAsync(uint domain, uint port, CancellationToken cancellationToken = default);
}
