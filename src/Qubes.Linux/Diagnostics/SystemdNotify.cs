using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Qubes.Linux;

/// <summary>
/// Tells systemd about the state of this service (sd_notify protocol: datagrams of <c>NAME=VALUE</c> lines).
/// Not started by systemd: every call does nothing.
/// </summary>
public sealed class SystemdNotify
{
    private const string Variable = "NOTIFY_SOCKET";
    private readonly string? _socketPath;

    private SystemdNotify(string? socketPath) => _socketPath = socketPath;

    public bool IsEnabled => _socketPath is not null;

    /// <summary>Takes the socket's address out of the environment, so that child processes do not speak for this service.</summary>
    public static SystemdNotify FromEnvironment()
    {
        var path = Environment.GetEnvironmentVariable(Variable);
        Environment.SetEnvironmentVariable(Variable, null);
        // '@' stands for the abstract namespace, whose names begin with a NUL byte.
        if (path is ['@', ..])
            path = "\0" + path[1..];
        return new SystemdNotify(string.IsNullOrEmpty(path) ? null : path);
    }

    public void Ready() => Send("READY=1");

    public void Stopping() => Send("STOPPING=1");

    public void Status(string text) => Send("STATUS=" + LogText.Escape(text));

    /// <summary>Asks for at least this much more time before systemd gives the start up.</summary>
    public void ExtendTimeout(TimeSpan time) =>
        Send("EXTEND_TIMEOUT_USEC=" + ((long)time.TotalMicroseconds).ToString(CultureInfo.InvariantCulture));

    private void Send(string message)
    {
        if (_socketPath is null)
            return;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(_socketPath));
        }
        catch (SocketException)
        {
            // The service manager is gone or not listening: there is nobody to tell.
        }
    }
}
