using System.Buffers;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Services;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Data;

/// <summary>
/// The end of a call where the service runs. Three flows at once: caller's data to the service's input, and the service's output and errors to the caller. When all have
/// ended and the process has exited, its status goes out as the very last message. Nothing waits for the caller's end of input.
/// </summary>
public sealed class ServiceEnd : IDisposable
{
    private readonly DataLink _link;
    private readonly ServiceStreams _streams;

    // Given to writes into the service: cancelled when it has exited or the call is over.
    private readonly CancellationTokenSource _inputClosed = new();

    // Given to reads from the service: cancelled when the peer is gone or the call was ended by an end of one side.
    private readonly CancellationTokenSource _outputClosed = new();

    // Given to writes to the peer: cancelled only when nobody will read them, since a message cut short would spoil the link.
    private readonly CancellationTokenSource _peerGone = new();

    private readonly TaskCompletionSource _inputEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _sentOutputEnd;

    private ServiceEnd(DataLink link, ServiceStreams streams)
    {
        _link = link;
        _streams = streams;
    }

    /// <summary>Carries a started service until the call is over. Returns the service's status, also when the caller went away before.</summary>
    /// <exception cref="QrexecProtocolException">The caller breaks the protocol.</exception>
    public static async Task<int> RunAsync(DataLink link, ServiceStreams streams, CancellationToken cancellationToken)
    {
        using ServiceEnd end = new(link, streams);
        return await end.RunAsync(cancellationToken);
    }

    public void Dispose()
    {
        _inputClosed.Dispose();
        _outputClosed.Dispose();
        _peerGone.Dispose();
    }

    /// <summary>Carries <paramref name="service"/>; <paramref name="error"/> is its error output if that is ours.</summary>
    public static Task<int> RunAsync(DataLink link, RunningService service, ILocalSource? error, CancellationToken cancellationToken) =>
        RunAsync(link, StreamsOf(service, error, null), cancellationToken);

    /// <summary>The streams of a started service.</summary>
    public static ServiceStreams StreamsOf(RunningService service, ILocalSource? error, Task? singleSocketSignal)
    {
        LocalSocket input = new(service.Input);
        return new()
        {
            Input = input,
            Output = service.Output == service.Input ? input : new LocalSocket(service.Output),
            Error = error,
            Process = service.Process is null ? null : service.ExitStatus,
            Hangup = service.Process is null ? token => Linux.HangupWatcher.WaitAsync(service.Input, token) : null,
            ExitOnClientEof = service.Process is null && service.Configuration.ExitOnClientEof,
            ExitOnServiceEof = service.Process is null && service.Configuration.ExitOnServiceEof,
            SingleSocket = singleSocketSignal is null || service.Process is null ? null : AfterAsync(singleSocketSignal, input),
        };
    }

    /// <summary>Tells the caller of a service that could not be started.</summary>
    public static async Task SendFailureAsync(DataLink link, int exitCode, CancellationToken cancellationToken)
    {
        await link.SendAsync(QrexecMessageType.DataStderr, default, cancellationToken);
        await link.SendAsync(QrexecMessageType.DataStdout, default, cancellationToken);
        await link.SendExitCodeAsync(exitCode, cancellationToken);
    }

    private static async Task<ILocalSource> AfterAsync(Task signal, ILocalSource source)
    {
        await signal;
        return source;
    }

    private async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource receiving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using CancellationTokenRegistration stopOutput = cancellationToken.Register(_outputClosed.Cancel);
        using CancellationTokenRegistration stopInput = cancellationToken.Register(_inputClosed.Cancel);
        using CancellationTokenRegistration stopSending = cancellationToken.Register(_peerGone.Cancel);

        // Without error output of its own, the first thing the caller hears is that there will be none.
        Task errors = _streams.Error is null
            ? SendEndAsync(QrexecMessageType.DataStderr)
            : SendStreamAsync(_streams.Error, QrexecMessageType.DataStderr);
        Task output = SendOutputAsync(errors);
        Task input = ReceiveAsync(receiving.Token);
        Task<int> status = EndOfServiceAsync();
        Task all = Task.WhenAll(errors, output, status);
        try
        {
            // Once the caller breaks the protocol there is nothing to wait for.
            if (await Task.WhenAny(all, input) == input)
            {
                await input;
            }

            await all.WaitAsync(cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            await SendStatusAsync(await status, cancellationToken);
            return await status;
        }
        finally
        {
            await receiving.CancelAsync();
            await _inputClosed.CancelAsync();
            await _outputClosed.CancelAsync();
            await _peerGone.CancelAsync();
            await ((Task)Task.WhenAll(input, errors, output)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendStatusAsync(int status, CancellationToken cancellationToken)
    {
        try
        {
            await _link.SendExitCodeAsync(status, cancellationToken);
        }
        catch (Exception e) when (e is VchanClosedException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The caller did not wait for it.
        }
    }

    // A process ends by exiting, whatever its streams do; a socket by both directions having ended.
    private async Task<int> EndOfServiceAsync()
    {
        if (_streams.Process is { } process)
        {
            int status = await process;
            await EndInputAsync();
            return status;
        }

        if (_streams.Hangup is { } hangup)
        {
            using CancellationTokenSource stop = new();
            Task gone = hangup(stop.Token);
            await Task.WhenAny(gone, _inputEnded.Task);
            await stop.CancelAsync();
            await gone.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await EndInputAsync();
        }

        await _inputEnded.Task;
        return 0;
    }

    private async Task EndInputAsync()
    {
        if (!_inputEnded.Task.IsCompleted)
        {
            try
            {
                await _inputClosed.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                // The call was broken off before its service ended.
            }

            _streams.Input.Close();
            _inputEnded.TrySetResult();
        }
    }

    private async Task SendOutputAsync(Task errors)
    {
        if (_streams.Error is null)
        {
            await errors;
        }

        ILocalSource source = _streams.SingleSocket is null ? _streams.Output : new SwitchingSource(_streams.Output, _streams.SingleSocket);
        await SendStreamAsync(source, QrexecMessageType.DataStdout);
        if (_streams.ExitOnServiceEof)
        {
            await EndInputAsync();
        }
    }

    private async Task SendStreamAsync(ILocalSource source, QrexecMessageType type)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(QrexecHeader.Size + _link.ChunkLimit);
        try
        {
            while (true)
            {
                int n = await source.ReadAsync(buffer.AsMemory(QrexecHeader.Size, _link.ChunkLimit), _outputClosed.Token);
                if (n == 0)
                {
                    break;
                }

                await _link.SendInPlaceAsync(type, buffer, n, _peerGone.Token);
            }

            source.Close();
        }
        catch (VchanClosedException)
        {
            // The service learns of it when it writes next.
            source.Close();
        }
        catch (OperationCanceledException)
        {
            source.Close();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        await SendEndAsync(type);
    }

    private async Task SendEndAsync(QrexecMessageType type)
    {
        if (type == QrexecMessageType.DataStdout && Interlocked.Exchange(ref _sentOutputEnd, true))
        {
            return;
        }

        try
        {
            await _link.SendAsync(type, default, _peerGone.Token);
        }
        catch (Exception e) when (e is VchanClosedException or OperationCanceledException)
        {
            // Nobody to tell.
        }
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await _link.Reader.ReadHeaderAsync(cancellationToken) is { } header)
            {
                await HandleAsync(header, cancellationToken);
            }
        }
        catch (VchanClosedException)
        {
            // As a clean end of the link, below.
        }

        // The caller is gone: nobody takes output any more, and no input will come.
        await EndInputAsync();
        await _outputClosed.CancelAsync();
        await _peerGone.CancelAsync();
    }

    private async Task HandleAsync(QrexecHeader header, CancellationToken cancellationToken)
    {
        switch (header.Type)
        {
            case QrexecMessageType.DataStdin or QrexecMessageType.DataStdout when header.Length > _link.ChunkLimit:
                throw new QrexecProtocolException("oversized data message");
            case QrexecMessageType.DataStdin or QrexecMessageType.DataStdout when header.Length == 0:
                await EndInputAsync();
                if (_streams.ExitOnClientEof)
                {
                    await _outputClosed.CancelAsync();
                }

                break;
            case QrexecMessageType.DataStdin or QrexecMessageType.DataStdout:
                await PassOnAsync(cancellationToken);
                break;
            case QrexecMessageType.DataStderr or QrexecMessageType.DataExitCode when header.Length <= _link.ChunkLimit:
                await _link.Reader.SkipAsync(cancellationToken);
                break;
            default:
                throw new QrexecProtocolException("unexpected message from the caller");
        }
    }

    private async Task PassOnAsync(CancellationToken cancellationToken)
    {
        while (_link.Reader.Remaining > 0)
        {
            ReadOnlyMemory<byte> piece = await _link.Reader.ReadPieceAsync(cancellationToken);
            if (_inputEnded.Task.IsCompleted)
            {
                continue;
            }

            try
            {
                if (!await _streams.Input.WriteAsync(piece, _inputClosed.Token))
                {
                    await EndInputAsync();
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The service has exited without reading it.
            }
        }
    }
}
