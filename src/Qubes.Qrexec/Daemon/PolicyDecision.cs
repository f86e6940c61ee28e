namespace Qubes.Qrexec.Daemon;

/// <summary>What the policy decided about one call.</summary>
public abstract record PolicyDecision
{
    private protected PolicyDecision()
    {
    }
}

/// <summary>The call is refused.</summary>
public sealed record PolicyDenied : PolicyDecision;

/// <summary>The call is allowed, in this form.</summary>
/// <param name="User">The user the service runs as; <c>DEFAULT</c> is the qube's default user.</param>
/// <param name="Target">Where the call goes: a qube, <c>dom0</c>, or <c>@dispvm:TEMPLATE</c>.</param>
/// <param name="TargetUuid">The same as <c>uuid:UUID</c> or <c>@dispvm:uuid:UUID</c>; preferred when given.</param>
/// <param name="RequestedTarget">What the caller asked for, which the service in dom0 is told.</param>
/// <param name="Autostart">Whether a halted target may be started.</param>
/// <param name="Service">Replaces the service and argument asked for.</param>
/// <param name="PolicySource">Replaces the name of the source in what the service is told.</param>
public sealed record PolicyAllowed(
    string User, string Target, string? TargetUuid, string RequestedTarget, bool Autostart, string? Service, string? PolicySource)
    : PolicyDecision;
