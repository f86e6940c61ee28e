using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Qubes.Policy.Evaluation;
using Qubes.Policy.SystemState;
using Qubes.Policy.Text;

namespace Qubes.Policy.Service;

/// <summary>
/// One call of an evaluation service: a qube may learn whether a call would be let through (ask counting as yes), and nothing
/// else. <c>policy.EvalGUI</c> is for GUI qubes and answers only about qubes that the caller shows. Anything wrong ends the
/// connection with no answer.
/// </summary>
public sealed class EvaluationConnection(
    PolicyService service, Func<CancellationToken, ValueTask<SystemInfo>> systemInfo, bool isForGui, ILogger logger)
{
    /// <summary>The service for any caller the policy lets call it.</summary>
    public const string Simple = "policy.EvalSimple";

    /// <summary>The service for GUI qubes.</summary>
    public const string Gui = "policy.EvalGUI";

    /// <summary>How long a caller may take to say what it wants.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Serves a connection. The stream stays the caller's. Does not throw for anything the client does.</summary>
    public async Task ServeAsync(Stream stream, CancellationToken cancellationToken)
    {
        string name = isForGui ? Gui : Simple;
        try
        {
            byte[]? call = await ReadAsync(stream, cancellationToken);
            if (call is null || !EvaluationRequest.TryParse(name, call, out EvaluationRequest? request))
            {
                PolicyLog.BadRequest(logger, $"{name}: not understood");
                return;
            }

            if (isForGui && !IsShownBy(request, await systemInfo(cancellationToken)))
            {
                PolicyLog.BadRequest(logger, $"{name}: {PythonText.Escape(request.Caller)} asks about qubes it does not show");
                return;
            }

            PolicyCall evaluated = new(request.Source, request.Target, request.Service);
            string answer = await service.DecideAsync(
                new PolicyQuery(evaluated, JustEvaluate: true, AssumeYesForAsk: true), cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer + "\n"), cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            PolicyLog.BadRequest(logger, $"{name}: {PythonText.Escape(e.Message)}");
        }
        catch (Exception e)
        {
            PolicyLog.Failed(logger, e);
        }
    }

    private static bool IsShownBy(EvaluationRequest request, SystemInfo system)
    {
        string tag = "guivm-" + request.Caller;
        return system.Find(request.Source) is { } source && source.HasTag(tag)
            && system.Find(request.Target) is { } target && target.HasTag(tag);
    }

    /// <summary>The whole call, or null if it is longer than a valid one can be.</summary>
    private async Task<byte[]?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(RequestTimeout);
        byte[] buffer = new byte[EvaluationRequest.MaxDescriptor + 1 + EvaluationRequest.MaxPayload];
        int length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, deadline.Token);
        return length < buffer.Length ? buffer[..length] : null;
    }
}
