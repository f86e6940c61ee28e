using System.Net.Sockets;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// The address of a UNIX socket at any path. The kernel's address holds 107 bytes; a longer path is reached through a handle
/// of its directory. Keep this alive until bind or connect has returned, then dispose it.
/// </summary>
public sealed class UnixAddress : IDisposable
{
    /// <summary>Bytes of <c>sun_path</c> without the terminating NUL.</summary>
    private const int LongestPath = 107;

    private readonly SafeFileHandle? _directory;

    public UnixAddress(string path)
    {
        if (Encoding.UTF8.GetByteCount(path) > LongestPath)
        {
            var directory = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
            _directory = FileCalls.Open(directory, FileCalls.O_PATH | FileCalls.O_DIRECTORY | FileCalls.O_CLOEXEC, 0);
            if (_directory.IsInvalid)
                throw LinuxException.FromLastError("open", directory);
            path = $"/proc/self/fd/{_directory.DangerousGetHandle()}/{Path.GetFileName(path)}";
        }

        EndPoint = new UnixDomainSocketEndPoint(path);
    }

    public UnixDomainSocketEndPoint EndPoint { get; }

    /// <summary>Connects a stream socket to <paramref name="path"/>.</summary>
    public static async Task<Socket> ConnectAsync(string path, CancellationToken cancellationToken = default)
    {
        using var address = new UnixAddress(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(address.EndPoint, cancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => _directory?.Dispose();
}
