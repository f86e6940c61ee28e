namespace Qubes.Protocol.Audit;

/// <summary>One call as the daemon hands it to the log.</summary>
public readonly record struct AuditEntry
{
    /// <summary>The outcome of a call that was carried out.</summary>
    public const string Succeeded = "ok";

    /// <summary>The outcome of a call that the RPC policy refused: it never reached the daemon's socket.</summary>
    public const string DeniedByPolicy = "denied-by-policy";

    /// <summary>When the call ended.</summary>
    public required DateTime Time { get; init; }

    public required string Source { get; init; }

    /// <summary>The method; empty if the request could not be understood.</summary>
    public required string Call { get; init; }

    public required string Argument { get; init; }

    public required string Target { get; init; }

    /// <summary><see cref="Succeeded"/>, <see cref="DeniedByPolicy"/>, or the class of the error the caller got.</summary>
    public required string Outcome { get; init; }

    /// <summary>From the whole request to the reply (of a stream, to its beginning).</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The line of policy that decided, <c>FILE:LINE</c>; null for calls that did not come over qrexec.</summary>
    public string? Policy { get; init; }

    /// <summary>The user at the other end of the socket.</summary>
    public uint? UserId { get; init; }
}
