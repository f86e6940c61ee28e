using System.Net.Sockets;

namespace Qubes.Qrexec.IO;

/// <summary>Whole transfers over stream sockets.</summary>
internal static class SocketExtensions
{
    /// <summary>Sends all of <paramref name="bytes"/>.</summary>
    public static async Task SendAllAsync(this Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, cancellation)..];
        }
    }

    /// <summary>Fills <paramref name="buffer"/>; false when the stream ends before that.</summary>
    public static async Task<bool> TryReceiveExactlyAsync(this Socket socket, Memory<byte> buffer, CancellationToken cancellation)
    {
        while (!buffer.IsEmpty)
        {
            int count = await socket.ReceiveAsync(buffer, cancellation);
            if (count == 0)
            {
                return false;
            }

            buffer = buffer[count..];
        }

        return true;
    }

    /// <summary>Reads to the end; null when there are more than <paramref name="limit"/> bytes.</summary>
    public static async Task<byte[]?> ReceiveToEndAsync(this Socket socket, int limit, CancellationToken cancellation)
    {
        byte[] buffer = new byte[Math.Min(limit + 1, 4096)];
        int length = 0;
        while (true)
        {
            int count = await socket.ReceiveAsync(buffer.AsMemory(length), cancellation);
            if (count == 0)
            {
                return buffer[..length];
            }

            length += count;
            if (length > limit)
            {
                return null;
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(limit + 1, 2 * buffer.Length));
            }
        }
    }
}
