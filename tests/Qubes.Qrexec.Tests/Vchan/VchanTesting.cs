using System.Security.Cryptography;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Tests.Vchan;

/// <summary>Sending and checking streams.</summary>
internal static class VchanTesting
{
    public static TimeSpan Patience => LinkPair.Patience;

    /// <summary>A connected pair: the first is what connected.</summary>
    public static async Task<(IVchan Client, IVchan Server)> JoinAsync(
        IVchanTransport client, uint clientsView, IVchanTransport server, uint serversView, uint port)
    {
        await using IVchanListener listener = await server.ListenAsync(serversView, port);
        Task<IVchan> accepted = listener.AcceptAsync().AsTask();
        IVchan connected = await client.ConnectAsync(clientsView, port).AsTask().WaitAsync(Patience);
        return (connected, await accepted.WaitAsync(Patience));
    }

    /// <summary>Writes <paramref name="length"/> reproducible bytes and finishes writing; returns their hash.</summary>
    public static async Task<byte[]> SendAsync(IVchan vchan, int seed, long length, int largest = 100_000)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Random random = new(seed);
        byte[] buffer = new byte[largest];
        while (length > 0)
        {
            int n = (int)Math.Min(length, random.Next(1, largest + 1));
            random.NextBytes(buffer.AsSpan(0, n));
            hash.AppendData(buffer, 0, n);
            await vchan.WriteAsync(buffer.AsMemory(0, n)).AsTask().WaitAsync(Patience);
            length -= n;
        }

        await vchan.CompleteWritesAsync();
        return hash.GetHashAndReset();
    }

    /// <summary>Reads to the end; returns the hash and the length.</summary>
    public static async Task<(byte[] Hash, long Length)> ReceiveAsync(IVchan vchan, int largest = 70_000)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[largest];
        long length = 0;
        while (true)
        {
            int n = await vchan.ReadAsync(buffer).AsTask().WaitAsync(Patience);
            if (n == 0)
            {
                return (hash.GetHashAndReset(), length);
            }

            hash.AppendData(buffer, 0, n);
            length += n;
        }
    }
}
