using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.IO;

namespace Qubes.Qrexec.Services;

/// <summary>Starts services: programs with their streams on socket pairs, sockets by connecting to them.</summary>
public static class ServiceLauncher
{
    // A listener that is there but busy is waited for; one that never accepts must not hold a call for ever.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Starts <paramref name="service"/> for <paramref name="call"/>.</summary>
    /// <param name="standardError">Descriptor 2 of a program; null is <c>/dev/null</c>. Stays the caller's.</param>
    /// <exception cref="ServiceException">It can not be started.</exception>
    public static async Task<RunningService> StartAsync(
        QrexecService service, QrexecServiceCall call, ServiceConfiguration configuration, SafeHandle? standardError, CancellationToken cancellation)
    {
        switch (service)
        {
            case ExecutableService executable:
                return StartProgram(ServiceProgram.For(executable, call), configuration, standardError);
            case UnixSocketService unix:
                return await ConnectAsync(token => UnixAddress.ConnectAsync(unix.Path, token), unix.Path, call, configuration, cancellation);
            case TcpService tcp:
                return await ConnectAsync(token => ConnectTcpAsync(tcp, token), $"{tcp.Host}:{tcp.Port}", call, configuration, cancellation);
            default:
                throw new ArgumentOutOfRangeException(nameof(service), service, "unknown kind of service");
        }
    }

    /// <summary>Starts a program with its input and output on socket pairs.</summary>
    /// <exception cref="ServiceException">It can not be started.</exception>
    public static RunningService StartProgram(ServiceProgram program, ServiceConfiguration configuration, SafeHandle? standardError)
    {
        using SocketPair input = SocketPair.Create();
        using SocketPair output = SocketPair.Create();
        try
        {
            ChildProcess process = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = program.Path,
                Arguments = program.Arguments,
                EnvironmentChanges = program.EnvironmentChanges,
                StandardInput = input.Theirs,
                StandardOutput = output.Theirs,
                StandardError = standardError,
            });
            return RunningService.FromProcess(input.TakeOurs(), output.TakeOurs(), process, configuration);
        }
        catch (LinuxException e)
        {
            throw ServiceProgram.StartFailure(program.Path, e);
        }
    }

    private static async Task<RunningService> ConnectAsync(
        Func<CancellationToken, Task<Socket>> connect, string address, QrexecServiceCall call, ServiceConfiguration configuration,
        CancellationToken cancellation)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(ConnectTimeout);
        Socket? socket = null;
        try
        {
            socket = await connect(deadline.Token);
            if (!configuration.SkipServiceDescriptor)
            {
                await socket.SendAllAsync((byte[])[.. QrexecCommand.ToBytes(call.DescriptorLine), 0], deadline.Token);
            }

            return RunningService.FromSocket(socket, configuration);
        }
        catch (Exception e) when (e is SocketException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            socket?.Dispose();
            throw ServiceException.Problem($"no connection to {address}", e);
        }
    }

    private static async Task<Socket> ConnectTcpAsync(TcpService tcp, CancellationToken cancellation)
    {
        Socket socket = new(tcp.Host.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(tcp.Host, tcp.Port), cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
