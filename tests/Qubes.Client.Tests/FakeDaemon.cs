using System.Net.Sockets;
using System.Text;

namespace Qubes.Client.Tests;

/// <summary>
/// A daemon's socket with scripted answers, for what a real daemon cannot be made to do: odd replies, refusals, lost
/// connections. Requests are recorded as <c>METHOD+ARG DEST PAYLOAD</c>, with <c>SOURCE:</c> before it unless it is dom0.
/// </summary>
internal sealed class FakeDaemon : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Dictionary<string, byte[]> _replies = new(StringComparer.Ordinal);
    private readonly List<string> _requests = [];

    /// <param name="socket">The socket's name in <c>run</c>.</param>
    public FakeDaemon(string socket = "qubesd.sock")
    {
        Root = Directory.CreateTempSubdirectory("qubes-client-").FullName;
        Directory.CreateDirectory(Path.Combine(Root, "run"));
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(Root, "run", socket)));
        _listener.Listen();
        _ = ServeAsync();
    }

    /// <summary>The scratch root, for <c>QUBES_ROOT</c>.</summary>
    public string Root { get; }

    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_requests)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Answers <paramref name="call"/> (<c>METHOD+ARG DEST</c>) with success and <paramref name="content"/>.</summary>
    public FakeDaemon Answer(string call, string content) => AnswerRaw(call, "0\0" + content);

    public FakeDaemon Fail(string call, string className, string message) => AnswerRaw(call, $"2\0{className}\0\0{message}\0");

    public FakeDaemon AnswerRaw(string call, string reply)
    {
        _replies[call] = Encoding.UTF8.GetBytes(reply);
        return this;
    }

    public void Dispose()
    {
        _listener.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            Socket connection;
            try
            {
                connection = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            _ = AnswerAsync(connection);
        }
    }

    private async Task AnswerAsync(Socket connection)
    {
        using NetworkStream stream = new(connection, ownsSocket: true);
        using MemoryStream request = new();
        await stream.CopyToAsync(request);
        string text = Encoding.UTF8.GetString(request.ToArray());
        int nul = text.IndexOf('\0', StringComparison.Ordinal);
        string[] header = text[..nul].Split(' ');
        string call = $"{header[0]} {header[3]}";
        lock (_requests)
        {
            string source = header[1] == "dom0" ? "" : header[1] + ": ";
            _requests.Add($"{source}{call} {text[(nul + 1)..]}".TrimEnd());
        }

        byte[] reply = _replies.TryGetValue(call, out byte[]? known) ? known : Encoding.UTF8.GetBytes("2\0QubesVMNotFoundError\0\0No script for the call\0");
        await stream.WriteAsync(reply);
    }
}
