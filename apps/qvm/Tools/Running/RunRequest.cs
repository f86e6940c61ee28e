using Qvm.CommandLine;

namespace Qvm.Tools.Running;

/// <summary>What <c>qvm-run</c> was asked to run, and how.</summary>
/// <param name="Command">The command line, program or service.</param>
/// <param name="Words">Arguments; with any, no shell is involved.</param>
/// <param name="IsService">The command is a service's name.</param>
/// <param name="UseShell">A shell of the qube is to read the command.</param>
/// <param name="PassIo">Our standard streams are the command's.</param>
/// <param name="User">The user in the qube, or null.</param>
/// <param name="Autostart">Start or unpause the qube first.</param>
/// <param name="Gui">Wait for the GUI session: asked for, refused, or to be found out.</param>
internal sealed record RunRequest(
    string Command, IReadOnlyList<string> Words, bool IsService, bool UseShell, bool PassIo, string? User, bool Autostart, bool? Gui)
{
    /// <exception cref="UsageException">Options contradict each other, or something is missing.</exception>
    public static RunRequest From(ParsedArguments arguments)
    {
        bool passIo = arguments.Has("pass-io");
        if (arguments.Has("localcmd") && !passIo)
        {
            throw new UsageException("--localcmd have no effect without --pass-io");
        }

        string? command = arguments.Last("command");
        IReadOnlyList<string> words = arguments.All("words");
        if (arguments.Has("all"))
        {
            // The one word after the options is the command: there is no qube to name.
            if (command is not null)
            {
                throw new UsageException("--all takes the command as one word");
            }

            command = arguments.Last("name");
        }
        else if (arguments.Has("dispvm"))
        {
            if (arguments.Has("exclude"))
            {
                throw new UsageException("Cannot use --exclude with --dispvm");
            }

            // There is no qube to name: what was taken for one is the command, and what was taken for that its first word.
            words = command is null ? [] : [command, .. words];
            command = arguments.Last("name");
        }
        else if (arguments.Has("exclude"))
        {
            throw new UsageException("--exclude can only be used with --all");
        }

        if (command is null)
        {
            throw new UsageException("the following arguments are required: VMNAME, COMMAND");
        }

        bool isService = arguments.Has("service");
        if (isService && words.Count > 0)
        {
            throw new UsageException("a service takes its argument as SERVICE+ARGUMENT");
        }

        return new RunRequest(command, words, isService, UseShell: !isService && words.Count == 0 && !arguments.Has("no-shell"), passIo,
            arguments.Last("user"), !arguments.Has("no-autostart"), arguments.Has("gui") ? true : arguments.Has("no-gui") ? false : null);
    }
}
