using System.Net.Sockets;
using System.Text;

namespace Qubes.Qrexec.Vchan;

/// <summary>
/// vchans over UNIX sockets in a directory, compatible with upstream's core-vchan-socket: a connection carries the raw bytes and nothing else.
/// The socket is <c>DIRECTORY/vchan.SERVER.CLIENT.PORT.sock</c>, domains as decimal numbers.
/// </summary>
public sealed class SocketVchanTransport(string directory, uint ownDomain) : IVchanTransport
{
    // sockaddr_un.sun_path with its NUL; upstream cuts longer paths silently, so both ends must.
    private const int MaxPathBytes = 107;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(32);

    /// <summary>The domain that this process speaks for.</summary>
    public uint OwnDomain { get; } = ownDomain;

    public ValueTask<IVchanListener> ListenAsync(uint domain, uint port, CancellationToken cancellationToken = default)
    {
        SocketVchanListener listener = new(PathOf(OwnDomain, domain, port));
        try
        {
            listener.Bind();
            return new(listener);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            throw new VchanException($"cannot listen for domain {domain} on port {port}: {e.Message}", e);
        }
    }

    public async ValueTask<IVchan> ConnectAsync(uint domain, uint port, CancellationToken cancellationToken = default)
    {
        UnixDomainSocketEndPoint endPoint = new(PathOf(domain, OwnDomain, port));
        TimeSpan pause = FirstPause;
        while (true)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(endPoint, cancellationToken);
                return new SocketVchan(socket);
            }
            catch (SocketException e) when (IsServerAbsent(e))
            {
                // The server may not be there yet; upstream's clients, too, try until it is.
                socket.Dispose();
                await Task.Delay(pause, cancellationToken);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                throw new VchanException($"cannot connect to domain {domain} on port {port}: {e.Message}", e);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    internal string PathOf(uint server, uint client, uint port)
    {
        string path = Path.Combine(directory, $"vchan.{server}.{client}.{port}.sock");
        byte[] bytes = Encoding.UTF8.GetBytes(path);
        return bytes.Length <= MaxPathBytes ? path : Encoding.UTF8.GetString(bytes, 0, MaxPathBytes);
    }

    // ENOENT arrives as AddressNotAvailable; a socket left by a dead server, or one with a full backlog, refuses.
    private static bool IsServerAbsent(SocketException e) =>
        e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.ConnectionRefused or SocketError.WouldBlock
        || e.NativeErrorCode == 2;
}
