using Microsoft.Extensions.Logging;
using Qubes.Policy.Evaluation;
using Qubes.Policy.Loading;
using Qubes.Policy.Prompting;
using Qubes.Policy.SystemState;
using Qubes.Policy.Text;

namespace Qubes.Policy.Service;

/// <summary>
/// Decides calls with everything around it: the policy in force, the system as it is, people to ask and tell, the audit log.
/// Safe to use from any thread; a decision that needs nothing but what is at hand completes at once.
/// </summary>
public sealed class PolicyService(
    PolicyStore policies, Func<CancellationToken, ValueTask<SystemInfo>> systemInfo, ISessionAgent agent, ILogger logger)
{
    // One qube may not cover the screen with questions, nor one burst of calls with notices.
    private const int MaxPromptsPerSource = 8;
    private const int MaxNotices = 64;

    private readonly Dictionary<string, int> _promptsBySource = new(StringComparer.Ordinal);
    private int _notices;

    /// <summary>How long a question may stay unanswered.</summary>
    public TimeSpan PromptTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Told of each decision as it is made.</summary>
    public Action<PolicyQuery, PolicyDecision>? Decided { get; init; }

    /// <summary>How long telling somebody may take.</summary>
    public TimeSpan NoticeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The answer for the transport, see <see cref="ResultText"/>. Each decision is one line of the log.</summary>
    public async ValueTask<string> DecideAsync(PolicyQuery query, CancellationToken cancellationToken)
    {
        LoadedPolicy policy = await policies.CurrentAsync(cancellationToken);
        SystemInfo system;
        try
        {
            system = await systemInfo(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            PolicyLog.NoSystemInfo(logger, Shown(query.Call.ServiceAndArgument), Shown(query.Call.Source), Shown(query.Call.IntendedTarget), Shown(e.Message));
            return ResultText.Deny;
        }

        PolicyDecision decision = PolicyEvaluator.Decide(policy, query.Call, system);
        if (decision is CallAsked asked)
        {
            decision = await AnswerAsync(asked, query, cancellationToken);
        }

        if (decision is CallAllowed allowed)
        {
            try
            {
                string result = query.JustEvaluate ? ResultText.Allow : ResultText.Of(allowed);
                LogAllowed(query, allowed);
                Decided?.Invoke(query, allowed);
                return result;
            }
            catch (CallDeniedException denied)
            {
                decision = CallDenied.From(denied);
            }
        }

        LogDenied(query, (CallDenied)decision, policy, system);
        Decided?.Invoke(query, decision);
        return ResultText.Deny;
    }

    private async ValueTask<PolicyDecision> AnswerAsync(CallAsked asked, PolicyQuery query, CancellationToken cancellationToken)
    {
        if (asked.Warning is { } warning)
        {
            PolicyLog.Warning(logger, Shown(query.Call.ServiceAndArgument), Shown(query.Call.Source), warning);
        }

        if (query.AssumeYesForAsk)
        {
            return asked.AssumeConsent();
        }

        return query.JustEvaluate
            ? new CallDenied("denied for non-interactive ask", Notify: false, asked.Rule)
            : await AskAsync(asked, cancellationToken);
    }

    /// <summary>
    /// Asks, and then decides anew: while a person thought about it, qubes may have gone and the policy may have changed. Consent
    /// holds only if the policy still asks, and still offers what was chosen.
    /// </summary>
    private async ValueTask<PolicyDecision> AskAsync(CallAsked asked, CancellationToken cancellationToken)
    {
        PolicyRequest request = asked.Request;
        string call = Shown(request.Service + request.Argument);
        string source = Shown(request.Source.Text);
        if (request.System.Find(request.Source.Value)?.Guivm is not { Length: > 0 } guiVm)
        {
            PolicyLog.CannotAsk(logger, call, source, "it has no GUI qube");
            return asked.Unanswered();
        }

        if (!TryBeginPrompt(request.Source.Value))
        {
            PolicyLog.CannotAsk(logger, call, source, "too many questions are open");
            return asked.Unanswered();
        }

        string answer;
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(PromptTimeout);
        try
        {
            answer = await agent.CallAsync(guiVm, AgentMessages.AskService, AgentMessages.Ask(asked), deadline.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            string reason = deadline.IsCancellationRequested ? "nobody answered in time" : Shown(e.Message);
            PolicyLog.CannotAsk(logger, call, source, reason);
            return asked.Unanswered();
        }
        finally
        {
            EndPrompt(request.Source.Value);
        }

        const string Consent = "allow:";
        if (answer == "deny")
        {
            return asked.Refuse();
        }

        if (!answer.StartsWith(Consent, StringComparison.Ordinal))
        {
            PolicyLog.CannotAsk(logger, call, source, $"the answer {PythonText.Quote(answer)} is none that is defined");
            return asked.Misunderstand();
        }

        string chosen = answer[Consent.Length..];
        if (asked.Choose(chosen) is CallDenied invalid)
        {
            return invalid;
        }

        LoadedPolicy policy = await policies.CurrentAsync(cancellationToken);
        return PolicyEvaluator.Decide(policy, request.Call, await systemInfo(cancellationToken)) switch
        {
            CallAsked again => again.Choose(chosen),
            CallDenied denied => denied,
            PolicyDecision changed => new CallDenied("the policy changed while a person was asked", Notify: true, changed.DecidedBy),
        };
    }

    private bool TryBeginPrompt(string source)
    {
        lock (_promptsBySource)
        {
            int open = _promptsBySource.GetValueOrDefault(source);
            if (open >= MaxPromptsPerSource)
            {
                return false;
            }

            _promptsBySource[source] = open + 1;
            return true;
        }
    }

    private void EndPrompt(string source)
    {
        lock (_promptsBySource)
        {
            if (--_promptsBySource[source] == 0)
            {
                _promptsBySource.Remove(source);
            }
        }
    }

    private void LogAllowed(PolicyQuery query, CallAllowed allowed)
    {
        PolicyRequest request = allowed.Request;
        PolicyCall call = request.Call;
        WarnAbout(request);
        if (allowed.Rule.Action.User is not null && request.System.Find(allowed.Target.Value) is { IsRemote: true })
        {
            PolicyLog.Warning(
                logger, Shown(call.ServiceAndArgument), Shown(call.Source), $"user= is ignored at {allowed.Rule.Place}: the target is a RemoteVM");
        }

        if (logger.IsEnabled(LogLevel.Information))
        {
            PolicyLog.Allowed(
                logger,
                Shown(request.Service),
                Shown(request.Argument),
                Shown(request.Source.Text),
                Shown(request.Target.Text),
                Shown(allowed.Target.Text),
                allowed.Rule.Place.ToString());
        }

        if (allowed.Rule.Action.Notify && !query.JustEvaluate)
        {
            Notify(
                request.System.Find(request.Source.Value),
                AgentMessages.Notify(isAllowed: true, call, request.Source.Text, allowed.Target.Text));
        }
    }

    private void LogDenied(PolicyQuery query, CallDenied denied, LoadedPolicy policy, SystemInfo system)
    {
        PolicyCall call = query.Call;
        string service = Shown(call.ServiceAndArgument);
        string source = Shown(call.Source);
        string target = Shown(call.IntendedTarget);
        if (!policy.IsValid)
        {
            PolicyLog.InvalidPolicy(logger, service, source, target, policy.ErrorSummary);
            return;
        }

        string place = denied.Rule?.Place.ToString() ?? "";
        bool saysWhere = place.Length == 0 || denied.Reason.Contains(place, StringComparison.Ordinal);
        PolicyLog.Denied(logger, service, source, target, saysWhere ? denied.Reason : $"{denied.Reason} ({place})");
        if (denied.Notify && !query.JustEvaluate)
        {
            Notify(system.Find(call.Source), AgentMessages.Notify(isAllowed: false, call, call.Source, call.IntendedTarget));
        }
    }

    private void WarnAbout(PolicyRequest request)
    {
        if (request.Warning is { } warning)
        {
            PolicyLog.Warning(logger, Shown(request.Call.ServiceAndArgument), Shown(request.Call.Source), warning);
        }
    }

    /// <summary>Tells somebody in the background: the caller does not wait for it, and it does not change the decision.</summary>
    private void Notify(QubeInfo? source, string notice)
    {
        if (source?.Guivm is not { Length: > 0 } guiVm)
        {
            return;
        }

        if (Interlocked.Increment(ref _notices) > MaxNotices)
        {
            Interlocked.Decrement(ref _notices);
            PolicyLog.CannotNotify(logger, Shown(guiVm), "too many notices are under way");
            return;
        }

        _ = Task.Run(() => NotifyAsync(guiVm, notice));
    }

    private async Task NotifyAsync(string guiVm, string notice)
    {
        using CancellationTokenSource deadline = new(NoticeTimeout);
        try
        {
            await agent.CallAsync(guiVm, AgentMessages.NotifyService, notice, deadline.Token);
        }
        catch (Exception e)
        {
            PolicyLog.CannotNotify(logger, Shown(guiVm), Shown(e.Message));
        }
        finally
        {
            Interlocked.Decrement(ref _notices);
        }
    }

    private static string Shown(string text) => PythonText.Escape(text);
}
