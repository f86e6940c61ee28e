using System.Buffers;
using System.Net.Sockets;
using Qubes.Protocol.Admin;

namespace Qubes.Client.Transport;

/// <summary>Calls over the daemon's UNIX socket: one connection a call, the writing side closed after the request.</summary>
/// <param name="socketPath">The daemon's socket.</param>
/// <param name="serviceDirectory">Where the programs for calls with a large payload are (<c>/etc/qubes-rpc</c>).</param>
/// <param name="source">On whose behalf the calls are made: a service that forwards a qube's call names that qube.</param>
public sealed class SocketTransport(string socketPath, string serviceDirectory, string source = "dom0") : IAdminTransport
{
    private const int FirstBuffer = 16 * 1024;

    public bool IsLocal => true;

    public async ValueTask<ReadOnlyMemory<byte>> SendAsync(AdminCall call, CancellationToken cancellation = default)
    {
        await using NetworkStream stream = await RequestAsync(call, cancellation);
        byte[] buffer = new byte[FirstBuffer];
        int length = 0;
        try
        {
            int read;
            while ((read = await stream.Socket.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, cancellation)) > 0)
            {
                length += read;
                if (length == buffer.Length)
                {
                    Array.Resize(ref buffer, buffer.Length * 2);
                }
            }
        }
        catch (SocketException e)
        {
            throw ClientErrors.Communication($"Connection to qubesd was lost: {e.Message}");
        }

        return buffer.AsMemory(0, length);
    }

    public async ValueTask<Stream> OpenAsync(AdminCall call, CancellationToken cancellation = default) =>
        await RequestAsync(call, cancellation);

    /// <summary>
    /// Runs the service's own program: the socket takes small payloads only, so importing a volume goes through the
    /// program that also serves such calls from qubes.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>> SendStreamAsync(AdminCall call, Stream data, CancellationToken cancellation = default)
    {
        string program = Path.Combine(serviceDirectory, call.Method);
        if (!File.Exists(program))
        {
            throw ClientErrors.Communication($"{program} not found");
        }

        return await ChildCall.RunAsync(
            program,
            call.Argument.Length == 0 ? [] : [call.Argument],
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["QREXEC_REMOTE_DOMAIN"] = source,
                ["QREXEC_REQUESTED_TARGET"] = call.Destination,
                ["QREXEC_REQUESTED_TARGET_TYPE"] = "name",
            },
            call.Payload,
            data,
            cancellation);
    }

    private async ValueTask<NetworkStream> RequestAsync(AdminCall call, CancellationToken cancellation)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellation);

            // Made before the writing side is closed: afterwards the class no longer takes the socket for a connected one.
            NetworkStream stream = new(socket, ownsSocket: true);
            await SendRequestAsync(socket, call, cancellation);
            return stream;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw ClientErrors.Communication($"Failed to connect to qubesd service: {e.Message}");
        }
        catch (ArgumentException)
        {
            // A blank, a NUL or another script in a name: no such thing can exist, but it must not become another call.
            socket.Dispose();
            throw ClientErrors.Communication("Not a valid name or argument of a call");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async ValueTask SendRequestAsync(Socket socket, AdminCall call, CancellationToken cancellation)
    {
        ArrayBufferWriter<byte> request = new(256 + call.Payload.Length);
        AdminRequestWriter.Write(request, call.Method, call.Argument, source, call.Destination, call.Payload.Span);
        ReadOnlyMemory<byte> rest = request.WrittenMemory;
        while (!rest.IsEmpty)
        {
            rest = rest[await socket.SendAsync(rest, SocketFlags.None, cancellation)..];
        }

        socket.Shutdown(SocketShutdown.Send);
    }
}
