using Qubes.Client;
using Qubes.Client.Transport;
using Qubes.Linux;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;
using Qvm.Output;
using Qvm.Tools;
using Qvm.Tools.Asking;
using Qvm.Tools.Devices;

namespace Qvm;

/// <summary>Finds the tool by the name the program was called by, and turns its failures into messages and exit statuses.</summary>
internal static class ToolRunner
{
    private const string ApiVersion = "4.4.0";

    /// <summary>All tools, by name.</summary>
    public static IReadOnlyList<ITool> Tools { get; } =
    [
        new AgentTool(), new ApplyTool(), new AuditTool(), new CheckTool(), new CloneTool(), new CreateTool(), DeviceTool.ForAnyClass, DeviceTool.For("block"),
        DeviceTool.For("mic"), DeviceTool.For("pci"), DeviceTool.For("usb"), new FeaturesTool(), new FirewallTool(), new HistoryTool(), new KillTool(),
        new ListTool(), new NotesTool(), new PauseTool(), new PoolTool(), new PreloadTool(), PrefsTool.ForQube, PrefsTool.ForSystem, new RemoveTool(),
        new RunTool(), new ServiceTool(), new ShutdownTool(), new StartTool(),
        new TagsTool(), new UnpauseTool(), new VolumeTool(),
    ];

    public static async Task<int> RunAsync(string calledAs, string[] words)
    {
        string name = Path.GetFileName(calledAs);
        ITool? tool = Find(name);
        if (tool is null)
        {
            if (words is ["--man-page", string page] && Find(page) is { } documented)
            {
                Console.Out.Write(ManualPage.Of(documented, Parser(documented)));
                return 0;
            }

            tool = words.Length > 0 ? Find(words[0]) : null;
            if (tool is null)
            {
                bool asked = words is ["--help" or "-h", ..];
                (asked ? Console.Out : Console.Error).Write(
                    $"usage: {name} TOOL [ARGUMENTS]\n\nTools: {string.Join(' ', Tools.Select(t => t.Name))}\n");
                return asked ? 0 : 2;
            }

            words = words[1..];
        }

        return await RunAsync(tool, words, new QubesPaths(), Console.Out, Console.Error);
    }

    /// <summary>Runs one tool. Its failures become a message and an exit status here and nowhere else.</summary>
    public static async Task<int> RunAsync(ITool tool, string[] words, QubesPaths paths, TextWriter output, TextWriter error)
    {
        ArgumentParser parser = Parser(tool);
        try
        {
            return await ParseAndRunAsync(tool, parser, words, paths, output, error);
        }
        catch (UsageException e)
        {
            await error.WriteAsync($"{HelpText.Usage(tool.Name, parser)}{tool.Name}: error: {e.Message}\n");
            return 2;
        }
        catch (ToolException e)
        {
            await error.WriteAsync($"{tool.Name}: error: {e.Message}\n");
            return e.ExitStatus;
        }
        catch (QubesException e)
        {
            await error.WriteAsync($"{tool.Name}: error: {e.Message}\n");
            return 1;
        }
    }

    public static ArgumentParser Parser(ITool tool)
    {
        ArgumentParser parser = new();
        parser.Flag("--verbose -v", "verbose", "increase verbosity");
        parser.Flag("--quiet -q", "quiet", "decrease verbosity");
        parser.Flag("--force-root", "force-root", "accepted for compatibility, has no effect", hidden: true);
        parser.Flag("--help -h", "help", "show this help message and exit");
        parser.Flag("--version", "version", "show program's version number and exit");
        tool.Define(parser);
        return parser;
    }

    public static ITool? Find(string name) => Tools.FirstOrDefault(t => t.Name == name);

    private static async Task<int> ParseAndRunAsync(
        ITool tool, ArgumentParser parser, string[] words, QubesPaths paths, TextWriter output, TextWriter error)
    {
        // Help and version are given even where the rest of the line is wrong or not there yet.
        string[] own = [.. words.TakeWhile(w => w != "--" && (w.StartsWith('-') || tool is not RunTool))];
        if (own.Contains("--help") || own.Contains("-h"))
        {
            await output.WriteAsync(HelpText.Help(tool.Name, tool.Summary, parser));
            return 0;
        }

        if (own.Contains("--version"))
        {
            await output.WriteAsync($"{tool.Name} (Qubes Admin API package) {ApiVersion}\nLicense: GPL-2.0-or-later\n");
            return 0;
        }

        ParsedArguments arguments = parser.Parse(words);
        QubesApp app = new(AdminTransport.Create(paths));
        int verbosity = 1 + arguments.Count("verbose") - arguments.Count("quiet");
        return await tool.RunAsync(new ToolContext(tool.Name, app, verbosity) { Out = output, Error = error, Paths = paths }, arguments);
    }
}
