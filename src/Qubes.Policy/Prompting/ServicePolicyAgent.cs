using System.Net.Sockets;
using System.Text;
using Qubes.Linux;

namespace Qubes.Policy.Prompting;

/// <summary>
/// Reaches the agent as a service: in dom0 by the socket of that service, in a GUI qube through the qrexec client. The socket
/// gets <c>SERVICE SP "dom0 name dom0" NUL JSON EOF</c>, a service in a qube only the JSON.
/// </summary>
public sealed class ServicePolicyAgent(QubesPaths paths, string qrexecClient) : IPolicyAgent
{
    // An answer names one target; anything longer is not an answer.
    private const int MaxAnswer = 4096;

    /// <inheritdoc/>
    public Task<string> CallAsync(string guiVm, string service, string json, CancellationToken cancellationToken) =>
        guiVm == "dom0" ? CallSocketAsync(service, json, cancellationToken) : CallQubeAsync(guiVm, service, json, cancellationToken);

    private async Task<string> CallSocketAsync(string service, string json, CancellationToken cancellationToken)
    {
        using Socket socket = await UnixAddress.ConnectAsync(Path.Join(paths.RpcDirectory, service), cancellationToken);
        await using NetworkStream stream = new(socket);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{service} dom0 name dom0\0{json}"), cancellationToken);
        socket.Shutdown(SocketShutdown.Send);
        byte[] answer = new byte[MaxAnswer];
        int length = await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellationToken);
        return Decode(answer.AsSpan(0, length), isTruncated: length == answer.Length);
    }

    private async Task<string> CallQubeAsync(string guiVm, string service, string json, CancellationToken cancellationToken)
    {
        ChildProcessOptions options = new()
        {
            FileName = qrexecClient,
            Arguments = ["-d", guiVm, $"DEFAULT:QUBESRPC {service} dom0"],
            EnvironmentChanges = new Dictionary<string, string?> { [QubesPaths.RootVariable] = paths.Root },
        };
        CapturedProcess call = await ProcessCapture.RunAsync(
            options, Encoding.ASCII.GetBytes(json), MaxAnswer, cancellationToken: cancellationToken);
        return call.Exit.IsSuccess
            ? Decode(call.Output, call.IsTruncated)
            : throw new IOException($"calling {service} in {guiVm} ended with {call.Exit}: {call.ErrorText}");
    }

    private static string Decode(ReadOnlySpan<byte> untrustedAnswer, bool isTruncated) =>
        !isTruncated && Ascii.IsValid(untrustedAnswer)
            ? Encoding.ASCII.GetString(untrustedAnswer)
            : throw new IOException("the answer is too long or no text");
}
