using Qubes.Protocol.Errors;
using Qvm.CommandLine;
using Qvm.Tools.Volumes;

namespace Qvm.Tools;

/// <summary><c>qvm-volume</c></summary>
internal sealed class VolumeTool : ITool
{
    private static readonly string[] Commands =
    [
        "list", "ls", "l", "info", "i", "config", "c", "set", "s", "resize", "extend", "revert", "rv", "r", "import", "clone", "clear",
    ];

    public string Name => "qvm-volume";

    public string Summary => "manage volumes of domains";

    public void Define(ArgumentParser parser)
    {
        parser.Positional("COMMAND", "command",
            "list (ls, l) [VMNAME ...]; info (i) VM:VOLUME [PROPERTY]; config (c, set, s) VM:VOLUME PROPERTY VALUE; "
            + "resize (extend) VM:VOLUME SIZE; revert (rv, r) VM:VOLUME [REVISION]; import VM:VOLUME PATH; clone VM:VOLUME VM:VOLUME; "
            + "clear VM:VOLUME; without it, list",
            Arity.Optional, Commands);
        parser.Positional("ARGUMENT", "words", "what the command works on; a PATH of - is standard input", Arity.Any);
        parser.Option("--pool -p", "pool", "list: only volumes of this pool; may be repeated", placeholder: "POOL");
        parser.Flag("--full", "full", "list: repeat the volume's name in every row");
        parser.Flag("--all", "all", "list: the volumes of all qubes");
        parser.Option("--exclude", "exclude", "list: leave out the qube from --all; may be repeated", placeholder: "EXCLUDE");
        parser.Option("--size", "size", "import: the size of the data in bytes, where it cannot be seen from the file", placeholder: "SIZE");
        parser.Flag("--no-resize", "no-resize", "import: keep the size of the volume");
        parser.Flag("--force -f", "force", "resize: also shrink; clone, clear: do not ask");
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        IReadOnlyList<string> words = arguments.All("words");
        bool force = arguments.Has("force");
        try
        {
            return arguments.Last("command") switch
            {
                "info" or "i" => await VolumeQueries.InfoAsync(context, words),
                "config" or "c" or "set" or "s" => await VolumeChanges.ConfigureAsync(context, words),
                "resize" or "extend" => await VolumeChanges.ResizeAsync(context, words, force),
                "revert" or "rv" or "r" => await VolumeChanges.RevertAsync(context, words),
                "import" => await VolumeContents.ImportAsync(context, words, arguments.Last("size"), !arguments.Has("no-resize")),
                "clone" => await VolumeContents.CloneAsync(context, words, force),
                "clear" => await VolumeContents.ClearAsync(context, words, force),
                _ => await VolumeQueries.ListAsync(context, words, arguments),
            };
        }
        catch (QubesException e)
        {
            context.PrintError(e.Message);
            return 1;
        }
        catch (ToolException e)
        {
            context.PrintError(e.Message);
            return e.ExitStatus;
        }
    }
}
