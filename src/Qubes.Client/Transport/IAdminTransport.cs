namespace Qubes.Client.Transport;

/// <summary>
/// The way from a client to the daemon: its socket on the host, or qrexec from inside a qube. Calls may be made
/// at the same time from several threads; each has a connection (or process) of its own.
/// </summary>
public interface IAdminTransport
{
    /// <summary>Whether the daemon runs on this machine and trusts this client as dom0.</summary>
    bool IsLocal { get; }

    /// <summary>Makes a call and returns the whole reply, with its leading status bytes.</summary>
    /// <exception cref="Qubes.Protocol.Errors.QubesException">The daemon cannot be reached, or the transport refused the call.</exception>
    ValueTask<ReadOnlyMemory<byte>> SendAsync(AdminCall call, CancellationToken cancellation = default);

    /// <summary>Makes a call whose reply is a stream without end (<c>admin.Events</c>). The caller disposes the stream.</summary>
    ValueTask<Stream> OpenAsync(AdminCall call, CancellationToken cancellation = default);

    /// <summary>Makes a call whose payload is <see cref="AdminCall.Payload"/> followed by all of <paramref name="data"/>, of any size.</summary>
    ValueTask<ReadOnlyMemory<byte>> SendStreamAsync(AdminCall call, Stream data, CancellationToken cancellation = default);
}
