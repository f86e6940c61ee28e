using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Qubes.Linux;

namespace Qubes.Policy.Service;

/// <summary>Accepts calls of an evaluation service and gives each its own task, up to a bound.</summary>
public sealed class EvaluationServer(EvaluationConnection connection, ILogger logger)
{
    // These calls are rare and short; beyond this the others wait in the backlog.
    private const int MaxConnections = 64;

    /// <summary>
    /// Serves <paramref name="listener"/> until it is disposed or the token fires; then waits until the connections being served
    /// are done.
    /// </summary>
    public async Task RunAsync(UnixListener listener, CancellationToken cancellationToken)
    {
        using SemaphoreSlim free = new(MaxConnections);
        try
        {
            while (true)
            {
                await free.WaitAsync(cancellationToken);
                Socket socket;
                try
                {
                    socket = await listener.AcceptAsync(cancellationToken);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.ConnectionAborted)
                {
                    PolicyLog.BadRequest(logger, e.Message);
                    free.Release();
                    await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
                    continue;
                }
                catch
                {
                    free.Release();
                    throw;
                }

                _ = Task.Run(() => ServeAsync(socket, free, cancellationToken), CancellationToken.None);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The listener is closed, or we are told to stop.
        }

        for (int i = 0; i < MaxConnections; i++)
        {
            await free.WaitAsync(CancellationToken.None);
        }
    }

    private async Task ServeAsync(Socket socket, SemaphoreSlim free, CancellationToken cancellationToken)
    {
        try
        {
            await using NetworkStream stream = new(socket, ownsSocket: true);
            await connection.ServeAsync(stream, cancellationToken);
        }
        finally
        {
            free.Release();
        }
    }
}
