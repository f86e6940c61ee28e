using Qubes.Client;
using Qubes.Protocol.Errors;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary><c>qvm-notes</c></summary>
internal sealed class NotesTool : ITool
{
    public string Name => "qvm-notes";

    public string Summary => "show and change the notes about a domain";

    public string ExitStatus => "2 also when the deletion was not confirmed.";

    public void Define(ArgumentParser parser)
    {
        parser.Flag("--force -f", "force", "do not ask before deleting");
        parser.Flag("--edit -e", "edit", "edit the notes with $VISUAL, else $EDITOR, else vi (the default)");
        parser.Flag("--print -p", "print", "print the notes");
        parser.Option("--import -i", "import", "replace the notes by the content of FILE", placeholder: "FILE");
        parser.Option("--set -s", "set", "replace the notes by TEXT", placeholder: "TEXT");
        parser.Option("--append", "append", "add TEXT to the notes, on a line of its own", placeholder: "TEXT");
        parser.Flag("--delete -d", "delete", "delete the notes");
        QubeSelection.DefineOne(parser);
        parser.ExclusiveKeys.Add(["edit", "print", "import", "set", "append", "delete"]);
    }

    public async Task<int> RunAsync(ToolContext context, ParsedArguments arguments)
    {
        Qube qube = context.App[(await QubeSelection.OneAsync(context.App, arguments.Required(QubeSelection.Names), last: true)).Name];
        string failure = "Failed to edit qube notes";
        try
        {
            if (arguments.Has("print"))
            {
                failure = "Unable to get qube notes";
                await context.Out.WriteLineAsync(await qube.GetNotesAsync());
            }
            else if (arguments.Last("set") is { } text)
            {
                failure = "Unable to set qube notes";
                await qube.SetNotesAsync(text);
            }
            else if (arguments.Last("import") is { } file)
            {
                failure = "Unable to import notes file";
                await qube.SetNotesAsync(await File.ReadAllTextAsync(file));
            }
            else if (arguments.Last("append") is { } more)
            {
                failure = "Unable to append qube notes";
                string present = await qube.GetNotesAsync();
                await qube.SetNotesAsync(present.Length == 0 || present.EndsWith('\n') ? present + more : $"{present}\n{more}");
            }
            else if (arguments.Has("delete"))
            {
                failure = "Unable to delete qube notes";
                return await DeleteAsync(context, qube, arguments.Has("force"));
            }
            else
            {
                await EditAsync(qube);
            }

            return 0;
        }
        catch (Exception e) when (e is QubesException or IOException or UnauthorizedAccessException)
        {
            await context.Error.WriteLineAsync($"root: {failure}: {e.Message}");
            return 1;
        }
    }

    private static async Task<int> DeleteAsync(ToolContext context, Qube qube, bool force)
    {
        if (!force)
        {
            await context.Out.WriteLineAsync("You are about to delete existing qube notes");
            if (await context.AskAsync("Are you certain? [y/N] ") is not ("y" or "Y"))
            {
                return 2;
            }
        }

        await qube.SetNotesAsync("");
        return 0;
    }

    /// <summary>Stores only what the editor has written: leaving it without saving changes nothing.</summary>
    private static async Task EditAsync(Qube qube)
    {
        string notes = await qube.GetNotesAsync();
        string directory = Directory.CreateTempSubdirectory("qvm-notes-").FullName;
        try
        {
            string file = Path.Combine(directory, $"{qube.Name}_qube_notes.txt");
            await using (FileStream stream = new(file, FileMode.CreateNew, FileAccess.Write))
            {
                await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(notes));
            }

            await Editor.RunAsync(file);
            string edited = await File.ReadAllTextAsync(file);
            if (edited != notes)
            {
                await qube.SetNotesAsync(edited);
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
