using System.Net.Sockets;
using System.Text;
using Qubes.Linux;
using Qubes.Protocol.Agents;

namespace Qvm.Tools.Asking;

/// <summary>
/// Listens where upstream's agents do, so that either can take the other's place: one request a connection, which ends with the answer.
/// Only its own user and root can connect.
/// </summary>
internal sealed class AgentServer : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int MostConnections = 128;
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10);

    private readonly TerminalDialogue _dialogue;
    private readonly List<UnixListener> _listeners = [];
    private readonly SemaphoreSlim _room = new(MostConnections);
    private readonly CancellationTokenSource _end = new();

    private AgentServer(TerminalDialogue dialogue) => _dialogue = dialogue;

    /// <exception cref="IOException">Another agent listens there, or there is no such directory.</exception>
    public static AgentServer Listen(QubesPaths paths, TerminalDialogue dialogue)
    {
        AgentServer server = new(dialogue);
        try
        {
            foreach (string path in (string[])[paths.PolicyAgentSocket, paths.DeviceAgentSocket])
            {
                server._listeners.Add(Bind(path));
            }
        }
        catch
        {
            server.Dispose();
            throw;
        }

        foreach (UnixListener listener in server._listeners)
        {
            _ = server.AcceptAsync(listener);
        }

        return server;
    }

    public void Dispose()
    {
        _end.Cancel();
        _listeners.ForEach(l => l.Dispose());
    }

    private static UnixListener Bind(string path)
    {
        try
        {
            return UnixListener.Bind(path, OwnerOnly);
        }
        catch (SocketException e)
        {
            throw new IOException($"cannot listen at {path}: {e.Message}", e);
        }
    }

    private async Task AcceptAsync(UnixListener listener)
    {
        try
        {
            while (true)
            {
                await _room.WaitAsync(_end.Token);
                _ = ServeAsync(await listener.AcceptAsync(_end.Token));
            }
        }
        catch (Exception e) when (_end.IsCancellationRequested || e is SocketException)
        {
            if (!_end.IsCancellationRequested)
            {
                _dialogue.Say($"Nobody can reach {listener.LocalPath} any more: {e.Message}");
                _dialogue.End();
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            if (await ReadAsync(socket) is { } request)
            {
                await AnswerAsync(socket, request);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Who asked is gone, too slow, or we end: a connection closed without an answer is a no.
        }
        finally
        {
            socket.Dispose();
            _room.Release();
        }
    }

    private async Task<AgentRequest?> ReadAsync(Socket socket)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        deadline.CancelAfter(RequestTimeout);
        using MemoryStream untrusted = new();
        byte[] buffer = new byte[16 * 1024];
        while (await socket.ReceiveAsync(buffer, deadline.Token) is var count and > 0)
        {
            untrusted.Write(buffer, 0, count);
            if (untrusted.Length > AgentRequest.MostBytes)
            {
                return null;
            }
        }

        return AgentRequest.TryParse(untrusted.GetBuffer().AsSpan(0, (int)untrusted.Length));
    }

    private async Task AnswerAsync(Socket socket, AgentRequest request)
    {
        if (request is AgentNotice notice)
        {
            _dialogue.Tell(notice);
            return;
        }

        // Who no longer waits for the answer hangs up, and the question is withdrawn.
        using CancellationTokenSource withdrawal = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        Task hangUp = CancelAtHangUpAsync(socket, withdrawal);
        try
        {
            string answer = await _dialogue.AskAsync((AgentQuestion)request, withdrawal.Token);
            await socket.SendAsync(Encoding.ASCII.GetBytes(answer), _end.Token);
        }
        finally
        {
            await withdrawal.CancelAsync();
            await hangUp;
        }
    }

    private static async Task CancelAtHangUpAsync(Socket socket, CancellationTokenSource withdrawal)
    {
        try
        {
            await HangupWatcher.WaitAsync(socket, withdrawal.Token);
            await withdrawal.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // It was answered.
        }
    }
}
