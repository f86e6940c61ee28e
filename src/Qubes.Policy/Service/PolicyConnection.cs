using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Qubes.Policy.Text;

namespace Qubes.Policy.Service;

/// <summary>
/// One connection on <c>policy.sock</c>: one request, one answer, end. What is no request gets no answer; the transport then
/// refuses the call.
/// </summary>
public sealed class PolicyConnection(PolicyService service, ILogger logger)
{
    private const int UsualRequest = 1024;

    /// <summary>How long a client may take to say what it wants.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Serves a connection. The stream stays the caller's. Does not throw for anything the client does.</summary>
    public async Task ServeAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(UsualRequest);
        try
        {
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(RequestTimeout);
            int length = 0;
            int end = -1;
            while (end < 0)
            {
                if (length == buffer.Length)
                {
                    if (length >= PolicyQueryCodec.MaxRequest)
                    {
                        PolicyLog.BadRequest(logger, "it is too long");
                        return;
                    }

                    byte[] larger = ArrayPool<byte>.Shared.Rent(2 * length);
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }

                int read = await stream.ReadAsync(buffer.AsMemory(length), deadline.Token);
                length += read;
                end = read == 0 ? length : PolicyQueryCodec.FindEnd(buffer.AsSpan(0, length));
            }

            if (PolicyQueryCodec.TryParse(buffer.AsSpan(0, end), out PolicyQuery? query, out string? error))
            {
                string answer = await service.DecideAsync(query, cancellationToken);
                await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), cancellationToken);
            }
            else
            {
                PolicyLog.BadRequest(logger, error);
            }
        }
        catch (OperationCanceledException)
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                PolicyLog.BadRequest(logger, "it did not come in time");
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            PolicyLog.BadRequest(logger, PythonText.Escape(e.Message));
        }
        catch (Exception e)
        {
            PolicyLog.Failed(logger, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
