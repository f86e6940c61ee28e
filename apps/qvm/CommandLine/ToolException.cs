namespace Qvm.CommandLine;

/// <summary>The tool cannot do what was asked: <c>TOOL: error: MESSAGE</c> on standard error.</summary>
internal sealed class ToolException(string message, int exitStatus = 1) : Exception(message)
{
    public int ExitStatus { get; } = exitStatus;
}
