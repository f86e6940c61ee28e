using System.Net.Sockets;
using System.Runtime.InteropServices;
using Qubes.Linux.Native;

namespace Qubes.Linux;

/// <summary>
/// Listens to what the kernel tells of its devices (netlink, <c>NETLINK_KOBJECT_UEVENT</c>), as udev does, without udev. Messages are read and
/// reported on the thread pool, one after the other.
/// </summary>
public sealed class KernelEvents : IDisposable
{
    // sockaddr_nl: u16 family, u16 padding, u32 port (0: the kernel chooses), u32 groups. Group 1 is the kernel's own, 2 is udev's.
    private const int AddressLength = 12;
    private const uint KernelGroup = 1;
    private const int LongestMessage = 64 * 1024;

    private readonly Socket _socket;
    private readonly Action<KernelEvent?> _happened;

    private KernelEvents(Socket socket, Action<KernelEvent?> happened)
    {
        _socket = socket;
        _happened = happened;
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="happened">Told of each event; of null when some were lost, because they came faster than they were read. Must not throw.</param>
    /// <exception cref="LinuxException">There is no such socket, as in some containers.</exception>
    public static KernelEvents Listen(Action<KernelEvent?> happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        KernelEvents events = new(Open(), happened);
        _ = events.ReadAsync();
        return events;
    }

    public void Dispose() => _socket.Dispose();

    private static unsafe Socket Open()
    {
        var fd = SocketCalls.Socket(
            SocketCalls.AF_NETLINK, SocketCalls.SOCK_DGRAM | SocketCalls.SOCK_CLOEXEC, SocketCalls.NETLINK_KOBJECT_UEVENT);
        if (fd < 0)
            throw LinuxException.FromLastError("socket", "NETLINK_KOBJECT_UEVENT");
        SafeSocketHandle handle = new(fd, ownsHandle: true);
        var address = stackalloc byte[AddressLength];
        Span<byte> fields = new(address, AddressLength);
        fields.Clear();
        MemoryMarshal.Write(fields, (ushort)SocketCalls.AF_NETLINK);
        MemoryMarshal.Write(fields[8..], KernelGroup);
        if (SocketCalls.Bind(handle, address, AddressLength) != 0)
        {
            var failure = LinuxException.FromLastError("bind", "NETLINK_KOBJECT_UEVENT");
            handle.Dispose();
            throw failure;
        }

        return new Socket(handle);
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[LongestMessage];
        while (true)
        {
            try
            {
                var length = await _socket.ReceiveAsync(buffer).ConfigureAwait(false);
                if (KernelEvent.TryParse(buffer.AsSpan(0, length), out var happened))
                    _happened(happened);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.NoBufferSpaceAvailable)
            {
                _happened(null);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
