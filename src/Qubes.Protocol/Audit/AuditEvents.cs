namespace Qubes.Protocol.Audit;

/// <summary>Records about the log itself.</summary>
public static class AuditEvents
{
    /// <summary>Begins a file; <c>prev</c> is the hash of the last record of the file before.</summary>
    public const string Open = "open";

    /// <summary>The daemon began; <c>clean</c> tells whether the run before ended with <see cref="Stop"/>.</summary>
    public const string Start = "start";

    /// <summary>The daemon ended, and everything it did is recorded.</summary>
    public const string Stop = "stop";

    /// <summary><c>lost</c> records could not be kept; <c>reason</c> says why.</summary>
    public const string Gap = "gap";

    /// <summary>The last line was cut short by a crash; <c>fragment</c> is what there was of it.</summary>
    public const string Torn = "torn";

    /// <summary>A file was removed because there are enough newer ones; <c>until</c> is its last record.</summary>
    public const string Prune = "prune";
}
