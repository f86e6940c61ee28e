namespace Qubes.Qrexec.CommandLine;

/// <summary>An option that came twice, or whose precondition is not met: status 2, unlike other mistakes of usage.</summary>
public sealed class BadOptionException(string message) : Exception(message);
