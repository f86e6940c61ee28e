using System.Text;
using Qubes.Policy.SystemState;
using Qubes.Policy.Text;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Evaluation;

/// <summary>
/// The answer to the transport that carries the call: lines <c>KEY=VALUE</c> with LF between them and none at the end.
/// <code>
/// user=USER                    the account, or DEFAULT
/// result=allow
/// target=TARGET                dom0, @dispvm:X, a qube, or for a remote qube its relay
/// target_uuid=UUID             uuid:U or @dispvm:uuid:U; not for dom0
/// autostart=True|False
/// requested_target=TARGET      what the caller asked for, after checking
/// service=SERVICE+...          only for a remote qube: what to call in the relay
/// policy_source=SOURCE         only if the source speaks for a remote qube; not for dom0
/// </code>
/// </summary>
public static class ResultText
{
    /// <summary>For every refusal: the caller is not told why.</summary>
    public const string Deny = "result=deny";

    /// <summary>For an allowed call that is only asked about.</summary>
    public const string Allow = "result=allow";

    /// <summary>Writes the answer for an allowed call.</summary>
    /// <exception cref="CallDeniedException">The call can not be carried.</exception>
    public static string Of(CallAllowed allowed)
    {
        PolicyRequest request = allowed.Request;
        PolicyToken target = allowed.Target;
        if (request.System.IsSameName(request.Source.Value, target.Text) || (request.Source.IsDom0 && target.IsDom0))
        {
            throw new CallDeniedException("loopback qrexec connection not supported", allowed.Rule);
        }

        if (target.IsDom0)
        {
            return Common(allowed, allowed.Rule.Action.User, PolicyToken.Dom0.Text, null).ToString();
        }

        QubeInfo qube = request.System.Find(target.Value)
            ?? throw new CallDeniedException($"{PythonText.Escape(target.Value)} is gone", allowed.Rule);
        if (target.Kind == TokenKind.DispVmTemplate)
        {
            return WithSource(
                Common(allowed, allowed.Rule.Action.User, target.Text, Uuid(TokenParser.DispVmPrefix + "uuid:", qube)), request);
        }

        return qube.IsRemote
            ? WithSource(Remote(allowed, qube), request)
            : WithSource(Common(allowed, allowed.Rule.Action.User, target.Text, Uuid("uuid:", qube)), request);
    }

    private static StringBuilder Remote(CallAllowed allowed, QubeInfo remote)
    {
        PolicyRequest request = allowed.Request;
        string name = PythonText.Escape(allowed.Target.Text);
        if (remote.Relayvm is not { Length: > 0 })
        {
            throw new CallDeniedException($"{name}: relayvm is not set", allowed.Rule);
        }

        if (remote.TransportRpc is not { Length: > 0 })
        {
            throw new CallDeniedException($"{name}: transport RPC is not set", allowed.Rule);
        }

        QubeInfo relay = request.System.Find(remote.Relayvm)
            ?? throw new CallDeniedException($"{name}: relayvm {PythonText.Escape(remote.Relayvm)} is gone", allowed.Rule);
        return Common(allowed, user: null, remote.Relayvm, Uuid("uuid:", relay))
            .Append("\nservice=").Append(remote.TransportRpc).Append('+').Append(request.Target.Text)
            .Append('+').Append(request.Service).Append(request.Argument);
    }

    private static StringBuilder Common(CallAllowed allowed, string? user, string target, string? targetUuid)
    {
        StringBuilder text = new("user=");
        text.Append(user ?? "DEFAULT").Append("\nresult=allow\ntarget=").Append(target);
        if (targetUuid is not null)
        {
            text.Append("\ntarget_uuid=").Append(targetUuid);
        }

        return text.Append("\nautostart=").Append(allowed.Rule.Action.Autostart ? "True" : "False")
            .Append("\nrequested_target=").Append(allowed.Request.Target.Text);
    }

    private static string WithSource(StringBuilder text, PolicyRequest request)
    {
        if (request.IsRelayed)
        {
            text.Append("\npolicy_source=").Append(request.Source.Text);
        }

        return text.ToString();
    }

    private static string? Uuid(string prefix, QubeInfo qube) => qube.Uuid.Length > 0 ? prefix + qube.Uuid : null;
}
