using System.Runtime.InteropServices;

namespace Qubes.Linux;

/// <summary>What to start and what the new process gets from us: nothing else is inherited.</summary>
public sealed record ChildProcessOptions
{
    /// <summary>Path of the program; not searched for in <c>PATH</c>.</summary>
    public required string FileName { get; init; }

    /// <summary>Arguments after <c>argv[0]</c>, passed on exactly as they are: no shell is involved.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary><c>argv[0]</c>; null is <see cref="FileName"/>.</summary>
    public string? ArgumentZero { get; init; }

    /// <summary>The whole environment; null inherits ours.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Changes to that environment; a null value removes the variable.</summary>
    public IReadOnlyDictionary<string, string?>? EnvironmentChanges { get; init; }

    /// <summary>
    /// Whom the program runs as, with all its groups; null: as us. Only root can do that. The program gets its path as <c>argv[0]</c>, and is not
    /// looked for in advance: one that is not there ends with status 127.
    /// </summary>
    public UserAccount? Account { get; init; }

    /// <summary>With <see cref="Account"/>: nothing the program starts can have more rights than it, as by the set-user-ID bit.</summary>
    public bool NoNewPrivileges { get; init; }

    /// <summary>Null stays in ours.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Leads a new session, and so a process group that signals to us do not reach and <see cref="ChildProcess.KillGroup"/> does.</summary>
    public bool NewSession { get; init; }

    /// <summary>Descriptor 0; null is <c>/dev/null</c>. Stays the caller's: it may close it once the process is started.</summary>
    public SafeHandle? StandardInput { get; init; }

    /// <summary>Descriptor 1; null is <c>/dev/null</c>.</summary>
    public SafeHandle? StandardOutput { get; init; }

    /// <summary>Descriptor 2; null is <c>/dev/null</c>.</summary>
    public SafeHandle? StandardError { get; init; }

    /// <summary>Descriptors 3, 4, … of the new process, in this order.</summary>
    public IReadOnlyList<SafeHandle> ExtraHandles { get; init; } = [];
}
