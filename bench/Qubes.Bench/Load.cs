using System.Diagnostics;

namespace Qubes.Bench;

/// <summary>Runs N clients, each on a thread of its own and each call on a connection of its own, for a while.</summary>
internal static class Load
{
    /// <param name="socket">Where to connect.</param>
    /// <param name="clients">How many threads.</param>
    /// <param name="duration">Of the measurement; a third of it comes before as warm-up.</param>
    /// <param name="request">The bytes of the next call of a client, by client and count.</param>
    /// <param name="isGood">Whether an answer is one: a load of errors would be a fast one.</param>
    public static LoadResult Run(
        string socket, int clients, TimeSpan duration, Func<int, int, byte[]> request, Func<ReadOnlySpan<byte>, bool> isGood)
    {
        List<long>[] times = [.. Enumerable.Range(0, clients).Select(_ => new List<long>(1 << 17))];
        Exception? failure = null;
        int total = 0;
        long begin = Stopwatch.GetTimestamp();
        long measured = begin + (long)(duration.TotalSeconds / 3 * Stopwatch.Frequency);
        long end = measured + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        Thread[] threads =
        [
            .. Enumerable.Range(0, clients).Select(client => new Thread(() =>
            {
                try
                {
                    RawCall call = new(socket);
                    for (int i = 0; failure is null; i++)
                    {
                        byte[] bytes = request(client, i);
                        long before = Stopwatch.GetTimestamp();
                        if (before >= end)
                        {
                            return;
                        }

                        Interlocked.Increment(ref total);
                        bool good = isGood(call.Run(bytes));
                        if (before >= measured)
                        {
                            times[client].Add(Stopwatch.GetTimestamp() - before);
                        }

                        if (!good)
                        {
                            throw new InvalidOperationException(
                                $"{socket}: unexpected answer {System.Text.Encoding.ASCII.GetString(call.Run(bytes))}");
                        }
                    }
                }
                catch (Exception e)
                {
                    failure = e;
                }
            })),
        ];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        return failure is null ? LoadResult.Of(total, times.SelectMany(t => t), duration) : throw new InvalidOperationException("the load failed", failure);
    }
}
