namespace Qubes.Lifecycle.Daemons;

/// <summary>How a daemon of a qube is started. It says on descriptor 3 when it is ready.</summary>
/// <param name="Program">The file.</param>
/// <param name="Name">What it is called as: the file has many programs.</param>
/// <param name="Environment">Variables to set, or with null to remove.</param>
/// <param name="LogPath">Receives what it prints.</param>
/// <param name="Limit">How long it may take to be ready.</param>
/// <param name="Names">The files it makes in the directory that it shares with others.</param>
/// <param name="StartsServices">Programs of the host's, which may have to be more than it is (as with sudo).</param>
internal sealed record DaemonCommand(
    string Program, string Name, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string?> Environment, string LogPath, TimeSpan Limit,
    IReadOnlyList<string> Names, bool StartsServices);
