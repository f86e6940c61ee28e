using System.Buffers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Linux;
using Qubes.Protocol.Admin;

namespace Qubes.Extensions.OutOfProcess.Calls;

/// <summary>
/// Calls of the Admin API in dom0's name. They go through the daemon's own socket, so nothing that holds for other callers (checks,
/// permission events, limits, audit) can be missed on the way.
/// </summary>
internal static class AdminCalls
{
    private const int MaxReply = 512 * 1024;
    private const string Source = "dom0";
    private const int DefaultTimeout = 60;

    // {"method": NAME, "argument": TEXT, "destination": NAME (default dom0), "payload": TEXT, "timeout": SECONDS}
    //   → TEXT, or an error with code 1 and {"type": EXCEPTION} in its data
    // Calls that answer with a stream of events cannot be made: subscribe to the events instead.

    public static async Task<Action<Utf8JsonWriter>?> CallAsync(ExtensionSession session, ExtensionEnvironment environment, RpcParams parameters)
    {
        string content = await CallAsync(session, environment, parameters.Text("method"), parameters.OptionalText("argument") ?? "",
            parameters.OptionalText("destination") ?? Source, parameters.OptionalText("payload", AdminLimits.MaxRequestBytes) ?? "",
            parameters.Number("timeout", DefaultTimeout, 1, 600));
        return writer => writer.WriteStringValue(content);
    }

    /// <summary>Makes a call for an extension.</summary>
    /// <returns>The reply's content.</returns>
    /// <exception cref="RpcException">It failed, or what came is no reply.</exception>
    public static async Task<string> CallAsync(
        ExtensionSession session, ExtensionEnvironment environment, string method, string argument = "", string destination = Source,
        string payload = "", int seconds = DefaultTimeout)
    {
        ArrayBufferWriter<byte> request = new();
        try
        {
            AdminRequestWriter.Write(request, method, argument, Source, destination, Encoding.UTF8.GetBytes(payload));
        }
        catch (ArgumentException)
        {
            throw RpcException.InvalidParams("a part of the call has a character that cannot be sent");
        }

        (string, string, string) own = (method, argument, destination);
        session.OwnCalls.Add(own);
        try
        {
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(session.Ended);
            deadline.CancelAfter(TimeSpan.FromSeconds(seconds));
            return await Task.Run(() => ExchangeAsync(environment.Paths.AdminSocket, request.WrittenMemory, deadline.Token), CancellationToken.None);
        }
        catch (OperationCanceledException) when (!session.Ended.IsCancellationRequested)
        {
            throw new RpcException(RpcErrorCode.InternalError, "the call was not answered in time");
        }
        catch (SocketException e)
        {
            throw new RpcException(RpcErrorCode.InternalError, $"the daemon does not serve: {e.Message}");
        }
        finally
        {
            session.OwnCalls.Remove(own);
        }
    }

    private static async Task<string> ExchangeAsync(string path, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        using Socket socket = await UnixAddress.ConnectAsync(path, cancellationToken);
        for (ReadOnlyMemory<byte> rest = request; !rest.IsEmpty;)
        {
            rest = rest[await socket.SendAsync(rest, cancellationToken)..];
        }

        socket.Shutdown(SocketShutdown.Send);
        using MemoryStream reply = new();
        byte[] buffer = new byte[16 * 1024];
        while (await socket.ReceiveAsync(buffer, cancellationToken) is var count and > 0)
        {
            reply.Write(buffer, 0, count);
            if (reply.Length > MaxReply)
            {
                throw new RpcException(RpcErrorCode.InternalError, $"the reply is longer than {MaxReply} bytes");
            }

            if (reply.GetBuffer()[0] == AdminReplyWriter.EventHeader[0])
            {
                throw RpcException.InvalidParams("this call answers with events: subscribe to them instead");
            }
        }

        return Read(reply.GetBuffer().AsSpan(0, (int)reply.Length));
    }

    /// <summary>The content of a reply.</summary>
    /// <exception cref="RpcException">It is an error.</exception>
    internal static string Read(ReadOnlySpan<byte> reply)
    {
        if (reply.StartsWith(AdminReplyWriter.SuccessHeader))
        {
            return Encoding.UTF8.GetString(reply[AdminReplyWriter.SuccessHeader.Length..]);
        }

        // '2' NUL <class> NUL <traceback> NUL <message> NUL, '%' doubled in the message
        string[] fields = Encoding.UTF8.GetString(reply).Split('\0');
        throw fields is ["2", var type, _, var message, ..]
            ? new RpcException(RpcErrorCode.Refused, message.Replace("%%", "%", StringComparison.Ordinal), type)
            : new RpcException(RpcErrorCode.InternalError, "the daemon closed the connection");
    }
}
