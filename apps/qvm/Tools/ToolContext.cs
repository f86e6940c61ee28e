using Qubes.Client;
using Qubes.Linux;

namespace Qvm.Tools;

/// <summary>What a tool works with.</summary>
/// <param name="Tool">The tool's name, before its messages.</param>
/// <param name="App">The daemon.</param>
/// <param name="Verbosity">Count of <c>-v</c>, from 1, less the count of <c>-q</c>: above 0 messages are shown.</param>
internal sealed record ToolContext(string Tool, QubesApp App, int Verbosity)
{
    public TextWriter Out { get; init; } = Console.Out;

    public TextWriter Error { get; init; } = Console.Error;

    /// <summary>For what a tool reads without the daemon.</summary>
    public QubesPaths Paths { get; init; } = new();

    /// <summary>A message about progress: on standard error, unless the user wants quiet.</summary>
    public void Say(string text)
    {
        if (Verbosity > 0)
        {
            Error.WriteLine($"{Tool}: {text}");
        }
    }

    /// <summary>As <see cref="Say"/>, for a message that says itself what it is about.</summary>
    public void Tell(string text)
    {
        if (Verbosity > 0)
        {
            Error.WriteLine(text);
        }
    }

    /// <summary>An error that does not end the tool.</summary>
    public void PrintError(string text) => Error.WriteLine($"Error: {text}");

    /// <summary>Asks a question; false at end of input.</summary>
    public async Task<string?> AskAsync(string prompt)
    {
        await Out.WriteAsync(prompt);
        await Out.FlushAsync();
        return await Console.In.ReadLineAsync();
    }
}
