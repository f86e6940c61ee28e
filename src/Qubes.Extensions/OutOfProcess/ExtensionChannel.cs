using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Linux;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>
/// A running extension: its process and the three streams. Reading, parsing and writing happen on the thread pool; only whole
/// messages reach the owner, one at a time and no faster than the limits say.
/// </summary>
internal sealed class ExtensionChannel : IAsyncDisposable
{
    private const int MaxLogLineBytes = 4096;

    private readonly ExtensionLimits _limits;
    private readonly ILogger _log;
    private readonly ChildProcess _process;
    private readonly Socket _socket;
    private readonly CancellationTokenSource _ending = new();
    private readonly Channel<byte[]> _outgoing = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _writing;
    private readonly Task _logging;
    private long _backlog;

    private ExtensionChannel(ExtensionLimits limits, ILogger log, ChildProcess process, Socket socket, Stream errors)
    {
        _limits = limits;
        _log = log;
        _process = process;
        _socket = socket;
        _writing = Task.Run(WriteAsync);
        _logging = Task.Run(() => LogAsync(errors));
    }

    public int ProcessId => _process.Id;

    /// <exception cref="LinuxException">The program cannot be started.</exception>
    public static ExtensionChannel Start(ExtensionDefinition definition, ExtensionLimits limits, QubesPaths paths, ILogger log)
    {
        using SocketPair pair = SocketPair.Create();
        AnonymousPipe errors = AnonymousPipe.Create();
        try
        {
            ChildProcess process = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = definition.Program,
                Arguments = definition.Arguments,
                WorkingDirectory = "/",
                NewSession = true,
                StandardInput = pair.Theirs,
                StandardOutput = pair.Theirs,
                StandardError = errors.Writer,
                EnvironmentChanges = new Dictionary<string, string?>
                {
                    [QubesPaths.RootVariable] = paths.Root, ["QUBES_EXTENSION"] = definition.Name, ["NOTIFY_SOCKET"] = null,
                },
            });
            errors.Writer.Dispose();
            return new ExtensionChannel(limits, log, process, pair.TakeOurs(), errors.OpenReader());
        }
        catch
        {
            errors.Dispose();
            throw;
        }
    }

    /// <summary>Queues a message. False: the extension has left too many unread.</summary>
    public bool TrySend(byte[] message)
    {
        if (Interlocked.Add(ref _backlog, message.Length) > _limits.BacklogBytes)
        {
            return false;
        }

        _outgoing.Writer.TryWrite(message);
        return true;
    }

    /// <summary>Reads messages until the extension ends, and hands each to <paramref name="take"/>. Returns why it ended.</summary>
    public async Task<string> ReadAsync(TimeProvider time, Func<RpcMessage, Task> take)
    {
        LineReader lines = new(new NetworkStream(_socket, ownsSocket: false), _limits.MaxLineBytes);
        TokenBucket bucket = new(_limits.MessagesPerSecond, _limits.MessageBurst, time);
        bool toldOfFlood = false;
        try
        {
            while (await lines.ReadAsync(_ending.Token) is { } line)
            {
                while (bucket.Take() is { Ticks: > 0 } wait)
                {
                    if (!toldOfFlood)
                    {
                        toldOfFlood = true;
                        _log.LogWarning("Sends more than {Rate} messages a second: it is slowed down", _limits.MessagesPerSecond);
                    }

                    await Task.Delay(wait, time, _ending.Token);
                }

                await take(RpcMessage.Parse(line));
            }
        }
        catch (RpcFormatException e)
        {
            return $"wrote something that is no message: {e.Message}";
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The end of the process says more than the error of its socket.
        }

        try
        {
            // Of a process that ends the socket is closed before its status can be had.
            return $"ended ({await _process.Exited.WaitAsync(_limits.EndPatience, time)})";
        }
        catch (TimeoutException)
        {
            return "closed its output";
        }
    }

    /// <summary>Closes its input, gives it a moment to end by itself, then kills it and all it has started.</summary>
    public async Task EndAsync(TimeProvider time)
    {
        _outgoing.Writer.TryComplete();
        try
        {
            await _writing.WaitAsync(_limits.EndPatience, time);
            _socket.Shutdown(SocketShutdown.Send);
            await _process.Exited.WaitAsync(_limits.EndPatience, time);
        }
        catch (Exception e) when (e is TimeoutException or SocketException or ObjectDisposedException)
        {
            // What follows does not ask.
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Also after the program has ended: what it started in its session is no longer wanted.
        _process.KillGroup();
        await ((Task)_process.Exited).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _ending.CancelAsync();
        _outgoing.Writer.TryComplete();
        _socket.Dispose();
        await Task.WhenAll(_writing, _logging).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (byte[] message in _outgoing.Reader.ReadAllAsync(_ending.Token))
            {
                for (int sent = 0; sent < message.Length;)
                {
                    sent += await _socket.SendAsync(message.AsMemory(sent), _ending.Token);
                }

                Interlocked.Add(ref _backlog, -message.Length);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // It is gone: the reading side tells.
        }
    }

    /// <summary>What it says on standard error goes to the log, escaped, a limited number of lines; the rest is counted.</summary>
    private async Task LogAsync(Stream errors)
    {
        await using Stream owned = errors;
        TokenBucket bucket = new(_limits.LogBurst / 5, _limits.LogBurst, TimeProvider.System);
        byte[] buffer = new byte[MaxLogLineBytes];
        int held = 0;
        long dropped = 0;
        try
        {
            while (await owned.ReadAsync(buffer.AsMemory(held), _ending.Token) is var count and > 0)
            {
                held += count;
                int start = 0;
                while (buffer.AsSpan(start, held - start).IndexOf((byte)'\n') is var length and >= 0)
                {
                    Log(buffer.AsSpan(start, length), bucket, ref dropped);
                    start += length + 1;
                }

                // A line that fills the buffer is cut into pieces.
                if (start == 0 && held == buffer.Length)
                {
                    Log(buffer, bucket, ref dropped);
                    start = held;
                }

                buffer.AsSpan(start, held - start).CopyTo(buffer);
                held -= start;
            }

            if (held > 0)
            {
                Log(buffer.AsSpan(0, held), bucket, ref dropped);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Nobody is left who could say anything.
        }

        if (dropped > 0)
        {
            _log.LogWarning("{Count} lines of its standard error were dropped", dropped);
        }
    }

    private void Log(ReadOnlySpan<byte> untrustedLine, TokenBucket bucket, ref long dropped)
    {
        if (bucket.Take() > TimeSpan.Zero)
        {
            dropped++;
            return;
        }

        if (dropped > 0)
        {
            _log.LogWarning("{Count} lines of its standard error were dropped", dropped);
            dropped = 0;
        }

        _log.LogInformation("{Line}", LogText.Escape(Encoding.UTF8.GetString(untrustedLine)));
    }
}
