using System.Runtime.InteropServices;
using Qvm.CommandLine;

namespace Qvm.Tools.Asking;

/// <summary><c>qubes-policy-agent</c>: asks at a terminal what policy and device assignments leave to a person.</summary>
internal sealed class AgentTool : ITool
{
    public string Name => "qubes-policy-agent";

    public string Summary => "ask the person at this terminal about calls between qubes and about devices, and tell them of calls, until it is ended";

    public void Define(ArgumentParser parser)
    {
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        using TerminalDialogue dialogue = new(Console.In, context.Out, TimeProvider.System);
        try
        {
            using AgentServer server = AgentServer.Listen(context.Paths, dialogue);
            dialogue.Say("Questions will appear here. Ctrl-C, or Ctrl-D at the begin of a line, ends; then nobody is asked and the answer is no.");
            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, EndOn);
            using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, EndOn);
            using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, EndOn);
            await dialogue.Ended;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(e.Message);
        }

        return 0;

        void EndOn(PosixSignalContext signal)
        {
            signal.Cancel = true;
            dialogue.End();
        }
    }
}
