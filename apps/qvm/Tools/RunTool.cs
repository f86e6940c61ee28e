using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;
using Qvm.Tools.Running;

namespace Qvm.Tools;

/// <summary><c>qvm-run</c></summary>
internal sealed class RunTool : ITool
{
    private const string Red = "31";

    // What a shell sees of the -1 that reports an error of the API.
    private const int ApiErrorStatus = 255;

    public string Name => "qvm-run";

    public string Summary => "run a command in a domain";

    public string ExitStatus => "The highest exit status of the commands run; 255 when a command could not be started because of an API error.";

    public void Define(ArgumentParser parser)
    {
        parser.Option("--user -u", "user", "run the command as this user (from dom0 only)", placeholder: "USER");
        parser.Flag("--autostart --auto -a", "autostart", "accepted for compatibility: qubes are started unless -n is given");
        parser.Flag("--no-autostart --no-auto -n", "no-autostart", "do not start or unpause the qube");
        parser.Flag("--pass-io -p", "pass-io", "pass standard input, output and error through");
        parser.Option("--localcmd", "localcmd", "with --pass-io, connect this local shell command instead", placeholder: "COMMAND");
        parser.Flag("--gui", "gui", "wait for the qube's GUI session first");
        parser.Flag("--no-gui --nogui", "no-gui", "do not wait for the qube's GUI session");
        parser.Option("--colour-output --color-output", "colour-output", "ANSI colour code for the output", placeholder: "COLOUR");
        parser.Option("--colour-stderr --color-stderr", "colour-stderr", "ANSI colour code for the errors", placeholder: "COLOUR");
        parser.Flag("--no-colour-output --no-color-output", "no-colour-output", "do not colour the output");
        parser.Flag("--no-colour-stderr --no-color-stderr", "no-colour-stderr", "do not colour the errors");
        parser.Flag("--filter-escape-chars", "filter", "replace control characters in the output (default on a terminal)");
        parser.Flag("--no-filter-escape-chars", "no-filter", "do not replace control characters in the output");
        parser.Flag("--service", "service", "COMMAND is the name of a qrexec service");
        parser.Flag("--no-shell", "no-shell", "run COMMAND as a program with arguments, not by a shell");
        parser.Option("--dispvm", "dispvm", "run in a new disposable, of the given template or the default one", Arity.Optional, "TEMPLATE");
        parser.Flag("--all", "all", "run in all running qubes");
        parser.Option("--exclude", "exclude", "exclude the qube from --all", placeholder: "EXCLUDE");
        parser.Positional("VMNAME", "name", "name of the domain", Arity.Optional);
        parser.Positional("COMMAND", "command", "command or service to run", Arity.Optional);
        parser.Positional("ARG", "words", "arguments of the command; implies --no-shell", Arity.Remainder);
        parser.ExclusiveKeys.Add(["dispvm", "all"]);
        parser.ExclusiveKeys.Add(["gui", "no-gui"]);
        parser.ExclusiveKeys.Add(["filter", "no-filter"]);
        parser.ExclusiveKeys.Add(["colour-output", "no-colour-output"]);
        parser.ExclusiveKeys.Add(["colour-stderr", "no-colour-stderr"]);
        parser.ExclusiveKeys.Add(["service", "no-shell"]);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        RunRequest request = RunRequest.From(arguments);
        bool isDisposable = arguments.Has("dispvm");
        IReadOnlyList<string> targets = isDisposable ? [DisposableTarget.NameOf(arguments.Last("dispvm"))] : await TargetsAsync(context, arguments);
        bool filter = arguments.Has("filter") || !arguments.Has("no-filter") && !Console.IsOutputRedirected;
        string? outputColour = Colour(arguments, "output", request.PassIo && filter);
        string? errorColour = Colour(arguments, "stderr", request.PassIo && !Console.IsErrorRedirected);
        if (outputColour is not null && !filter)
        {
            throw new UsageException("--color-output must be used with --filter-escape-chars");
        }

        ServiceStreams streams = new(request.PassIo, arguments.Last("localcmd"), filter && request.PassIo,
            request.PassIo && !Console.IsErrorRedirected, Wait: request.PassIo || !request.IsService || !context.App.IsLocal || isDisposable);
        int status = 0;
        int verbosity = context.Verbosity - (request.PassIo ? 1 : 0);
        foreach (string target in targets)
        {
            try
            {
                StartColour(outputColour, errorColour);
                status = Math.Max(status, isDisposable
                    ? await new DisposableTarget(context, request, verbosity).RunAsync(arguments.Last("dispvm"), streams)
                    : await new RunTarget(context, request, verbosity).RunAsync(target, streams));
            }
            catch (QubesException e)
            {
                context.Error.WriteLine($"{target}: {e.Message}");
                return ApiErrorStatus;
            }
            finally
            {
                EndColour(outputColour, errorColour);
            }
        }

        return status;
    }

    private static async Task<IReadOnlyList<string>> TargetsAsync(ToolContext context, ParsedArguments arguments)
    {
        if (!arguments.Has("all"))
        {
            return [(await QubeSelection.OneAsync(context.App, arguments.Required("name"))).Name];
        }

        if (arguments.Has("pass-io") && !arguments.Has("localcmd"))
        {
            throw new UsageException("--pass-io with several qubes needs --localcmd");
        }

        List<string> targets = [];
        foreach (QubeInfo info in await context.App.ListQubesAsync())
        {
            if (info.State == "Running" && info.Class != "AdminVM" && !arguments.All("exclude").Contains(info.Name)
                && string.IsNullOrEmpty(await context.App[info.Name].GetFeatureAsync("internal")))
            {
                targets.Add(info.Name);
            }
        }

        return targets;
    }

    private static string? Colour(ParsedArguments arguments, string stream, bool byDefault) =>
        arguments.Has($"no-colour-{stream}") ? null
        : arguments.Last($"colour-{stream}") is { } given ? given
        : byDefault ? Red : null;

    private static void StartColour(string? output, string? error)
    {
        if (output is not null)
        {
            Console.Out.Write($"\e[0;{output}m");
            Console.Out.Flush();
        }

        if (error is not null)
        {
            Console.Error.Write($"\e[0;{error}m");
        }
    }

    private static void EndColour(string? output, string? error)
    {
        if (output is not null)
        {
            Console.Out.Write("\e[0m");
            Console.Out.Flush();
        }

        if (error is not null)
        {
            Console.Error.Write("\e[0m");
        }
    }
}
