using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Qubes.Linux;

namespace Qubes.Bench;

/// <summary>The receiving end of sd_notify.</summary>
internal sealed class ReadySocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public ReadySocket()
    {
        // The abstract namespace: no file to place or to remove.
        string name = $"qubes-bench-{Environment.ProcessId}-{Guid.NewGuid():n}";
        _socket.Bind(new UnixDomainSocketEndPoint("\0" + name));
        Address = "@" + name;
    }

    /// <summary>For the environment of the service.</summary>
    public string Address { get; }

    /// <summary>The timestamp of READY, or null if the process ended before.</summary>
    public async Task<long?> WaitAsync(Task<ProcessExit> exited, TimeSpan patience)
    {
        using CancellationTokenSource deadline = new(patience);
        byte[] buffer = new byte[4096];
        while (true)
        {
            Task<int> received = _socket.ReceiveAsync(buffer.AsMemory(), deadline.Token).AsTask();
            if (await Task.WhenAny(received, exited) == exited)
            {
                await deadline.CancelAsync();
                return null;
            }

            long at = Stopwatch.GetTimestamp();
            if (Encoding.ASCII.GetString(buffer, 0, await received).Split('\n').Contains("READY=1", StringComparer.Ordinal))
            {
                return at;
            }
        }
    }

    public void Dispose() => _socket.Dispose();
}
