namespace Qubes.Qrexec.Vchan;

/// <summary>The server end of a vchan before its client has come. Disposing it stops listening; accepted vchans live on.</summary>
public interface IVchanListener : IAsyncDisposable
{
    /// <summary>
    /// Waits for a client. A vchan has one client: call again only after the accepted one is gone, to wait for its successor.
    /// </summary>
    ValueTask<IVchan> AcceptAsync(CancellationToken cancellationToken = default);
}
