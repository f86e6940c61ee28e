namespace Qubes.Qrexec.CommandLine;

/// <summary>A command line that can not be understood.</summary>
public sealed class UsageException(string message) : Exception(message);
