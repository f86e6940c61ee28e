using System.Buffers;

namespace Qubes.Linux;

/// <summary>Runs programs to their end and keeps what they write, within limits.</summary>
public static class ProcessCapture
{
    /// <summary>
    /// Starts the program in a session of its own, feeds it <paramref name="input"/>, reads its output and waits for its end.
    /// </summary>
    /// <param name="options">Standard handles and session of these options are not used.</param>
    /// <param name="outputLimit">Bytes kept of each of output and error.</param>
    /// <param name="timeout">After it the program and its group are killed.</param>
    /// <exception cref="TimeoutException">It took too long and was killed.</exception>
    /// <exception cref="LinuxException">It could not be started.</exception>
    public static async Task<CapturedProcess> RunAsync(ChildProcessOptions options, ReadOnlyMemory<byte> input = default,
        int outputLimit = 1 << 20, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        using var stdin = AnonymousPipe.Create();
        using var stdout = AnonymousPipe.Create();
        using var stderr = AnonymousPipe.Create();
        var process = ChildProcess.Start(options with
        {
            NewSession = true,
            StandardInput = stdin.Reader,
            StandardOutput = stdout.Writer,
            StandardError = stderr.Writer,
        });
        stdin.Reader.Dispose();
        stdout.Writer.Dispose();
        stderr.Writer.Dispose();

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout ?? Timeout.InfiniteTimeSpan);
        try
        {
            var feeding = FeedAsync(stdin, input, deadline.Token);
            var output = DrainAsync(stdout, outputLimit, deadline.Token);
            var error = DrainAsync(stderr, outputLimit, deadline.Token);
            await Task.WhenAll(feeding, output, error);
            var exit = await process.Exited.WaitAsync(deadline.Token);
            return new CapturedProcess(exit, (await output).Kept, (await error).Kept,
                (await output).IsTruncated || (await error).IsTruncated);
        }
        catch (OperationCanceledException overdue) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"'{options.FileName}' did not end in time.", overdue);
        }
        finally
        {
            if (!process.Exited.IsCompleted)
            {
                process.KillGroup();
                await process.Exited;
            }
        }
    }

    private static async Task FeedAsync(AnonymousPipe pipe, ReadOnlyMemory<byte> input, CancellationToken cancellationToken)
    {
        await using var writer = pipe.OpenWriter();
        try
        {
            await writer.WriteAsync(input, cancellationToken);
        }
        catch (IOException)
        {
            // The program does not want (all of) its input; what it says and how it ends is what counts.
        }
    }

    private static async Task<(byte[] Kept, bool IsTruncated)> DrainAsync(AnonymousPipe pipe, int limit, CancellationToken cancellationToken)
    {
        await using var reader = pipe.OpenReader();
        using var kept = new MemoryStream();
        var truncated = false;
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (await reader.ReadAsync(buffer, cancellationToken) is var count and > 0)
            {
                var room = Math.Min(count, limit - (int)kept.Length);
                kept.Write(buffer, 0, room);
                truncated |= room < count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return (kept.ToArray(), truncated);
    }
}
