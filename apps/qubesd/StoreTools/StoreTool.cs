using System.Reflection;
using Qubes.Linux;
using Qubes.Protocol.Errors;

namespace Qubesd.StoreTools;

/// <summary>What the programs that look after a store have in common: help, version, wrong command lines, failures.</summary>
internal static class StoreTool
{
    private const int Misused = 2;

    /// <summary>Options every one of them has.</summary>
    public static IReadOnlyList<HelpEntry> CommonOptions { get; } =
    [
        new("--root DIR", "prefix of all paths, by default / (or $QUBES_ROOT)"),
        new("--help, -h", "show this and exit"),
        new("--version", "show the version and exit"),
    ];

    /// <param name="help">What the program is.</param>
    /// <param name="args">Its command line.</param>
    /// <param name="switches">Options of its own without a value.</param>
    /// <param name="valued">Options of its own with one.</param>
    /// <param name="failed">The status when it cannot do its work.</param>
    /// <param name="run">Does it, and gives the status.</param>
    public static async Task<int> RunAsync(
        ToolHelp help, string[] args, string[] switches, string[] valued, int failed, Func<ToolArguments, QubesPaths, Task<int>> run)
    {
        try
        {
            ToolArguments arguments = ToolArguments.Parse(args, ["--help", "-h", "--version", .. switches], ["--root", .. valued]);
            if (arguments.Has("--help") || arguments.Has("-h"))
            {
                await Console.Out.WriteAsync(help.Text);
                return 0;
            }

            if (arguments.Has("--version"))
            {
                await Console.Out.WriteLineAsync($"{help.Name} {Assembly.GetExecutingAssembly().GetName().Version?.ToString(3)}");
                return 0;
            }

            return await run(arguments, new QubesPaths(arguments.Value("--root")));
        }
        catch (UsageException e)
        {
            await Console.Error.WriteAsync($"{help.Usage}{help.Name}: error: {LogText.Escape(e.Message)}\n");
            return Misused;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or QubesException)
        {
            await Console.Error.WriteLineAsync($"{help.Name}: {LogText.Escape(e.Message)}");
            return failed;
        }
    }
}
