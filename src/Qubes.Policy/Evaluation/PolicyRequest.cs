using Qubes.Policy.SystemState;
using Qubes.Policy.Text;
using Qubes.Policy.Tokens;

namespace Qubes.Policy.Evaluation;

/// <summary>A call with its target and source checked against the system: what rules are matched with.</summary>
public sealed class PolicyRequest
{
    private PolicyRequest(PolicyCall call, PolicyToken source, PolicyToken target, SystemInfo system, string? warning)
    {
        Call = call;
        Service = call.Service;
        Argument = call.Argument;
        Source = source;
        Target = target;
        System = system;
        Warning = warning;
    }

    /// <summary>The call as asked for.</summary>
    public PolicyCall Call { get; }

    /// <summary>Service name.</summary>
    public string Service { get; }

    /// <summary>Argument with its leading <c>+</c>.</summary>
    public string Argument { get; }

    /// <summary>Who is calling: the remote qube, when the source is a relay that said so and may.</summary>
    public PolicyToken Source { get; }

    /// <summary>What is called: a known qube, <c>@default</c>, <c>@adminvm</c>, <c>@dispvm</c> or <c>@dispvm:X</c>.</summary>
    public PolicyToken Target { get; }

    /// <summary>The system at this moment.</summary>
    public SystemInfo System { get; }

    /// <summary>Something to log about the request, safe to log.</summary>
    public string? Warning { get; }

    /// <summary>True if the source speaks for a remote qube.</summary>
    public bool IsRelayed => Call.RequestedSource.Length > 0;

    /// <summary>Checks a call.</summary>
    /// <exception cref="CallDeniedException">It is refused whatever the rules say.</exception>
    public static PolicyRequest Of(PolicyCall call, SystemInfo system)
    {
        (PolicyToken target, string? warning) = VerifyTarget(call, system);
        return new PolicyRequest(call, VerifySource(call, system), target, system, warning);
    }

    /// <summary>A disposable may only be made from a qube that is there for it.</summary>
    /// <exception cref="CallDeniedException">It may not.</exception>
    internal static PolicyToken VerifyTemplate(PolicyToken disposable, SystemInfo system) =>
        system.Find(disposable.Value) is { TemplateForDispvms: true }
            ? disposable
            : throw new CallDeniedException($"not a template for dispvm: {PythonText.Escape(disposable.Value)}");

    private static (PolicyToken Target, string? Warning) VerifyTarget(PolicyCall call, SystemInfo system)
    {
        if (call.IntendedTarget.Length == 0)
        {
            return (PolicyToken.Default, null);
        }

        if (!TokenParser.TryParse(call.IntendedTarget, TokenContext.IntendedTarget, out PolicyToken? target, out string? error))
        {
            throw new CallDeniedException(error);
        }

        return target.Kind switch
        {
            TokenKind.DispVmTemplate => (VerifyTemplate(target, system), null),
            TokenKind.Name when system.Find(target.Value) is null =>
                (PolicyToken.Default, $"{PythonText.Quote(call.IntendedTarget)} is not a qube; taken as @default"),
            _ => (target, null),
        };
    }

    private static PolicyToken VerifySource(PolicyCall call, SystemInfo system)
    {
        if (call.RequestedSource.Length == 0)
        {
            return PolicyToken.Named(call.Source);
        }

        string shown = PythonText.Escape(call.RequestedSource);
        QubeInfo claimed = system.Find(call.RequestedSource)
            ?? throw new CallDeniedException($"unknown requested source qube '{shown}'");
        if (!claimed.IsRemote)
        {
            throw new CallDeniedException($"{shown}: requested source is only authorized for RemoteVM");
        }

        return claimed.Relayvm == call.Source
            ? PolicyToken.Named(call.RequestedSource)
            : throw new CallDeniedException($"{PythonText.Escape(call.Source)} is not a relay for {shown}");
    }
}
