using Qubes.Protocol.Qrexec;

namespace Qubes.Qrexec.Daemon;

/// <summary>Builds the command of an approved call from what the policy judged and answered.</summary>
internal static class CallCommand
{
    /// <summary>For a qube: <c>USER:QUBESRPC service+[argument] source</c>.</summary>
    /// <exception cref="CallFailedException">A part would change the meaning of the command.</exception>
    public static byte[] ForQube(PolicyAllowed decision, TriggerService call, string source)
    {
        if (decision.User.AsSpan().IndexOfAny(" :\0\n") >= 0)
        {
            throw new CallFailedException("the policy names a user that can not be one");
        }

        return QrexecCommand.ToBytes($"{decision.User}:QUBESRPC {ServiceAndSource(decision, call, source)}");
    }

    /// <summary>
    /// For dom0: <c>QUBESRPC service+[argument] source name|keyword target</c>, the target as the caller asked for it.
    /// </summary>
    /// <exception cref="CallFailedException">A part would change the meaning of the command.</exception>
    public static QrexecServiceCall ForDom0(PolicyAllowed decision, TriggerService call, string source)
    {
        bool keyword = decision.RequestedTarget.StartsWith('@');
        string target = Word(keyword ? decision.RequestedTarget[1..] : decision.RequestedTarget);
        string text = $"QUBESRPC {ServiceAndSource(decision, call, source)} {(keyword ? "keyword" : "name")} {target}";
        return QrexecCommand.Parse(QrexecCommand.ToBytes(text), hasUser: false)?.Service
            ?? throw new CallFailedException("the service can not be one");
    }

    private static string ServiceAndSource(PolicyAllowed decision, TriggerService call, string source)
    {
        string service = Word(decision.Service ?? call.Service);
        string plus = service.Contains('+', StringComparison.Ordinal) ? "" : "+";
        return $"{service}{plus} {Word(decision.PolicySource ?? source)}";
    }

    private static string Word(string text) =>
        TargetName.IsWord(text) ? text : throw new CallFailedException("the policy's answer has a text that is not one word");
}
