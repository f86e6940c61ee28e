namespace Qvm.CommandLine;

/// <summary>The command line makes no sense: usage and message go to standard error, exit status 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
