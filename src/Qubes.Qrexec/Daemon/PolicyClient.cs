using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.IO;

namespace Qubes.Qrexec.Daemon;

/// <summary>Asks for the policy's decision about a call.</summary>
/// <remarks>
/// The socket answers one request per connection. Without a socket, or without a proper answer, a policy program is asked if there
/// is one; it is not told for whom a relay speaks, so calls of relays are refused instead.
/// </remarks>
internal sealed class PolicyClient(string socketPath, string programPath, string source, ILogger log)
{
    /// <summary>Decides; a decision that can not be had is a denial.</summary>
    public async Task<PolicyDecision> DecideAsync(TriggerService call, CancellationToken cancellation)
    {
        if (await AskSocketAsync(call, cancellation) is { } decision)
        {
            return decision;
        }

        if (call.RequestedSource is { Length: > 0 })
        {
            log.LogError("No policy answer from {Socket}; the policy program can not judge calls of a relay", socketPath);
            return new PolicyDenied();
        }

        return await AskProgramAsync(call, cancellation) ?? new PolicyDenied();
    }

    // source=NAME LF [requested_source=NAME LF] intended_target=NAME LF service_and_arg=SERVICE[+ARG] LF LF
    internal static string RequestText(string source, TriggerService call)
    {
        StringBuilder text = new();
        text.Append("source=").Append(source).Append('\n');
        if (call.RequestedSource is { } requested)
        {
            text.Append("requested_source=").Append(requested).Append('\n');
        }

        text.Append("intended_target=").Append(call.Target).Append('\n');
        text.Append("service_and_arg=").Append(call.Service).Append("\n\n");
        return text.ToString();
    }

    private async Task<PolicyDecision?> AskSocketAsync(TriggerService call, CancellationToken cancellation)
    {
        try
        {
            using Socket socket = await UnixAddress.ConnectAsync(socketPath, cancellation);
            await socket.SendAllAsync(Encoding.ASCII.GetBytes(RequestText(source, call)), cancellation);

            // No time limit: the answer may be a person's, who is asked and thinks.
            byte[]? answer = await socket.ReceiveToEndAsync(PolicyAnswer.MaxLength, cancellation);
            PolicyDecision? decision = answer is null ? null : PolicyAnswer.TryParse(answer);
            if (decision is null)
            {
                log.LogError("Malformed policy answer from {Socket}", socketPath);
            }

            return decision;
        }
        catch (Exception e) when (e is SocketException or LinuxException)
        {
            log.LogError("Policy socket {Socket} can not be used: {Reason}", socketPath, e.Message);
            return null;
        }
    }

    private async Task<PolicyDecision?> AskProgramAsync(TriggerService call, CancellationToken cancellation)
    {
        if (!FileStatus.IsExecutable(programPath))
        {
            return null;
        }

        try
        {
            CapturedProcess result = await ProcessCapture.RunAsync(
                new ChildProcessOptions { FileName = programPath, Arguments = ["--", source, call.Target, call.Service] },
                outputLimit: PolicyAnswer.MaxLength, cancellationToken: cancellation);
            if (result.Exit.IsSuccess && !result.IsTruncated && PolicyAnswer.TryParse(result.Output) is { } decision)
            {
                return decision;
            }

            log.LogError("Policy program {Program}: {Exit}, {Error}", programPath, result.Exit, result.ErrorText);
        }
        catch (LinuxException e)
        {
            log.LogError("Policy program {Program} can not be run: {Reason}", programPath, e.Message);
        }

        return null;
    }
}
