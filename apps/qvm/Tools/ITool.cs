using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary>One command: <c>qvm-ls</c>, <c>qvm-start</c>, …</summary>
internal interface ITool
{
    string Name { get; }

    /// <summary>One sentence for help and manual page.</summary>
    string Summary { get; }

    /// <summary>Exit statuses beside 0 (done), 1 (error) and 2 (usage), for the manual page; empty if there are none.</summary>
    string ExitStatus => "";

    void Define(ArgumentParser parser);

    /// <summary>Does the work and returns the exit status.</summary>
    Task<int> RunAsync(ToolContext context, ParsedArguments arguments);
}
