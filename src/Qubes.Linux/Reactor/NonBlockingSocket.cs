using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Qubes.Linux;

/// <summary>The socket calls a loop makes without ever sleeping in them.</summary>
public static class NonBlockingSocket
{
    private const int EINTR = 4;
    private const int EAGAIN = 11;
    private const int ENOMEM = 12;
    private const int ENFILE = 23;
    private const int EMFILE = 24;
    private const int ENOBUFS = 105;
    private const int ShutdownWrite = 1;

    /// <summary>Takes one waiting connection off a non-blocking listener.</summary>
    public static SocketResult TryAccept(SafeHandle listener, out SafeHandle? connection)
    {
        while (true)
        {
            int descriptor = SocketNative.Accept(listener, 0, 0, EpollNative.Nonblock | EpollNative.Cloexec);
            if (descriptor >= 0)
            {
                connection = new SafeFileHandle(descriptor, ownsHandle: true);
                return SocketResult.Done;
            }

            connection = null;
            switch (Marshal.GetLastPInvokeError())
            {
                case EINTR:
                    continue;
                case EAGAIN:
                    return SocketResult.WouldBlock;
                case ENOMEM or ENFILE or EMFILE or ENOBUFS:
                    return SocketResult.NoResources;
                default:
                    return SocketResult.Broken;
            }
        }
    }

    /// <summary>Reads what is there, at most the buffer's length.</summary>
    public static unsafe SocketResult TryReceive(SafeHandle socket, Span<byte> buffer, out int received)
    {
        received = 0;
        fixed (byte* start = buffer)
        {
            while (true)
            {
                nint count = SocketNative.Receive(socket, start, buffer.Length, SocketNative.DontWait);
                if (count >= 0)
                {
                    received = (int)count;
                    return count == 0 ? SocketResult.EndOfInput : SocketResult.Done;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case EINTR:
                        continue;
                    case EAGAIN:
                        return SocketResult.WouldBlock;
                    default:
                        return SocketResult.Broken;
                }
            }
        }
    }

    /// <summary>Writes as much as the peer's buffer takes; <paramref name="sent"/> may be less than asked.</summary>
    public static unsafe SocketResult TrySend(SafeHandle socket, ReadOnlySpan<byte> data, out int sent)
    {
        sent = 0;
        fixed (byte* start = data)
        {
            while (sent < data.Length)
            {
                nint count = SocketNative.Send(socket, start + sent, data.Length - sent, SocketNative.DontWait | SocketNative.NoSignal);
                if (count >= 0)
                {
                    sent += (int)count;
                    continue;
                }

                switch (Marshal.GetLastPInvokeError())
                {
                    case EINTR:
                        continue;
                    case EAGAIN:
                        return SocketResult.WouldBlock;
                    default:
                        return SocketResult.Broken;
                }
            }
        }

        return SocketResult.Done;
    }

    /// <summary>Tells the peer that nothing more is sent. That it may be gone already is no error.</summary>
    public static void FinishOutput(SafeHandle socket) => _ = SocketNative.Shutdown(socket, ShutdownWrite);
}
