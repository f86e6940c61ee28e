using System.Net.Sockets;
using System.Text;
using Qubes.Linux;

namespace Qubes.Policy.Prompting;

/// <summary>
/// Reaches the agent as a service: in dom0 by the socket of that service, in a GUI qube through the qrexec client. The socket
/// gets <c>SERVICE SP "dom0 name dom0" NUL JSON EOF</c>, a service in a qube only the JSON.
/// </summary>
/// <param name="paths">Where the system is.</param>
/// <param name="socketDirectory">Where dom0's agent listens, at the name of the service.</param>
/// <param name="qrexecClient">The program qrexec-client; null where there is none, so that no agent in a qube can be reached.</param>
/// <param name="account">Whom it runs as, since it reads what guests send; null: as we.</param>
public sealed class ServiceAgent(QubesPaths paths, string socketDirectory, string? qrexecClient, DaemonAccount? account = null) : ISessionAgent
{
    // An answer names one target; anything longer is not an answer.
    private const int MaxAnswer = 4096;

    /// <inheritdoc/>
    public Task<string> CallAsync(string guiVm, string service, string json, CancellationToken cancellationToken) =>
        guiVm == "dom0" ? CallSocketAsync(service, json, cancellationToken) : CallQubeAsync(guiVm, service, json, cancellationToken);

    private async Task<string> CallSocketAsync(string service, string json, CancellationToken cancellationToken)
    {
        using Socket socket = await ConnectAsync(Path.Join(socketDirectory, service), cancellationToken);
        await using NetworkStream stream = new(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{service} dom0 name dom0\0{json}"), cancellationToken);
        socket.Shutdown(SocketShutdown.Send);
        byte[] answer = new byte[MaxAnswer];
        int length = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellationToken);
        return Decode(answer.AsSpan(0, length), isTruncated: length == answer.Length);
    }

    private static async Task<Socket> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await UnixAddress.ConnectAsync(path, cancellationToken);
        }
        catch (SocketException e)
        {
            throw new IOException($"no agent listens at {path}: {e.Message}", e);
        }
    }

    private async Task<string> CallQubeAsync(string guiVm, string service, string json, CancellationToken cancellationToken)
    {
        if (qrexecClient is null)
        {
            throw new IOException($"without qrexec-client the agent in {guiVm} cannot be reached");
        }

        ChildProcessOptions options = new()
        {
            FileName = qrexecClient,
            ArgumentZero = "qrexec-client",
            Arguments = ["-d", guiVm, $"DEFAULT:QUBESRPC {service} dom0"],
            EnvironmentChanges = new Dictionary<string, string?> { [QubesPaths.RootVariable] = paths.Root },
            WorkingDirectory = "/",
            Account = account?.User,
            NoNewPrivileges = true,
        };

        // Starting a process blocks for a moment, and the caller may be the model loop.
        CapturedProcess call = await Task.Run(
            () => ProcessCapture.RunAsync(options, Encoding.ASCII.GetBytes(json), MaxAnswer, cancellationToken: cancellationToken), cancellationToken);
        return call.Exit.IsSuccess
            ? Decode(call.Output, call.IsTruncated)
            : throw new IOException($"calling {service} in {guiVm} ended with {call.Exit}: {call.ErrorText}");
    }

    private static string Decode(ReadOnlySpan<byte> untrustedAnswer, bool isTruncated) =>
        !isTruncated && Ascii.IsValid(untrustedAnswer)
            ? Encoding.ASCII.GetString(untrustedAnswer)
            : throw new IOException("the answer is too long or no text");
}
