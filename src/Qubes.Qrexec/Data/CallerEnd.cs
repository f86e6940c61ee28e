using System.Buffers;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.Vchan;

namespace Qubes.Qrexec.Data;

/// <summary>The end of a call that asked for the service.</summary>
public static class CallerEnd
{
    /// <summary>
    /// Runs until the service's status has come, or the peer has gone. Returns the status of the call: the service's unless it is 0, else the local program's, else 0;
    /// <see cref="QrexecExitCode.Missing"/> when the peer went without one.
    /// </summary>
    /// <exception cref="QrexecProtocolException">The peer breaks the protocol.</exception>
    public static async Task<int> RunAsync(DataLink link, CallerStreams streams, CancellationToken cancellationToken)
    {
        using CancellationTokenSource inputClosed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ILocalSource source = streams.SingleSocket is null ? streams.Input : new SwitchingSource(streams.Input, streams.SingleSocket);
        Task sending = SendAsync(link, source, streams.Prefix, inputClosed.Token);
        int? status;
        try
        {
            status = await ReceiveAsync(link, streams, cancellationToken);
        }
        finally
        {
            await inputClosed.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            streams.Output.Close();
            source.Close();
        }

        if (status is null or not 0 || streams.Process is null)
        {
            return status ?? QrexecExitCode.Missing;
        }

        return await streams.Process.WaitAsync(cancellationToken);
    }

    private static async Task SendAsync(DataLink link, ILocalSource source, ReadOnlyMemory<byte> prefix, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(QrexecHeader.Size + link.ChunkLimit);
        try
        {
            while (!prefix.IsEmpty)
            {
                int n = Math.Min(prefix.Length, link.ChunkLimit);
                await link.SendAsync(QrexecMessageType.DataStdin, prefix[..n], cancellationToken);
                prefix = prefix[n..];
            }

            while (true)
            {
                int n = await source.ReadAsync(buffer.AsMemory(QrexecHeader.Size, link.ChunkLimit), cancellationToken);
                await link.SendInPlaceAsync(QrexecMessageType.DataStdin, buffer, n, cancellationToken);
                if (n == 0)
                {
                    return;
                }
            }
        }
        catch (VchanClosedException)
        {
            // The service's end takes no more; what it sent before, its status above all, is still to be read.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // The service's status, or null when the peer has gone without one.
    private static async Task<int?> ReceiveAsync(DataLink link, CallerStreams streams, CancellationToken cancellationToken)
    {
        bool outputOpen = true;
        try
        {
            while (await link.Reader.ReadHeaderAsync(cancellationToken) is { } header)
            {
                if (header.Length > link.ChunkLimit)
                {
                    throw new QrexecProtocolException("oversized data message");
                }

                switch (header.Type)
                {
                    case QrexecMessageType.DataStdout or QrexecMessageType.DataStdin:
                        outputOpen &= header.Length > 0 && await PassOnAsync(link, outputOpen ? streams.Output : null, cancellationToken);
                        if (!outputOpen)
                        {
                            streams.Output.Close();
                        }

                        break;
                    case QrexecMessageType.DataStderr:
                        await PassOnAsync(link, streams.Error, cancellationToken);
                        break;
                    case QrexecMessageType.DataExitCode:
                        return QrexecExitCode.FromBody(await link.Reader.ReadBodyAsync(cancellationToken));
                    default:
                        throw new QrexecProtocolException("unexpected message from the service");
                }
            }
        }
        catch (VchanClosedException)
        {
            // As a clean end: there was no status.
        }

        return null;
    }

    // False when the sink takes no more; the rest is passed over.
    private static async Task<bool> PassOnAsync(DataLink link, ILocalSink? sink, CancellationToken cancellationToken)
    {
        while (link.Reader.Remaining > 0)
        {
            ReadOnlyMemory<byte> piece = await link.Reader.ReadPieceAsync(cancellationToken);
            if (sink is not null && !await sink.WriteAsync(piece, cancellationToken))
            {
                sink = null;
            }
        }

        return sink is not null;
    }
}
