using Microsoft.Win32.SafeHandles;
using Qubes.Linux;
using Qvm.CommandLine;

namespace Qvm.Tools;

/// <summary>
/// The user's editor: <c>$VISUAL</c>, else <c>$EDITOR</c>, else <c>vi</c>, taken apart at blanks and started without a shell. The
/// file's name is an argument of its own, whatever is in it.
/// </summary>
internal static class Editor
{
    /// <summary>Runs it on a file, on this terminal, to its end.</summary>
    /// <exception cref="ToolException">It cannot be started, or it failed.</exception>
    public static async Task RunAsync(string file)
    {
        string command = First(Environment.GetEnvironmentVariable("VISUAL"), Environment.GetEnvironmentVariable("EDITOR")) ?? "vi";
        string[] words = command.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        string program = Find(words[0]) ?? throw new ToolException($"editor not found: {words[0]}");
        using SafeFileHandle input = new(0, ownsHandle: false);
        using SafeFileHandle output = new(1, ownsHandle: false);
        using SafeFileHandle error = new(2, ownsHandle: false);
        ChildProcess editor;
        try
        {
            editor = ChildProcess.Start(new ChildProcessOptions
            {
                FileName = program,
                ArgumentZero = words[0],
                Arguments = [.. words[1..], file],
                StandardInput = input,
                StandardOutput = output,
                StandardError = error,
            });
        }
        catch (LinuxException e)
        {
            throw new ToolException($"cannot start the editor: {e.Message}");
        }

        if (!(await editor.Exited).IsSuccess)
        {
            throw new ToolException($"the editor failed, the notes were not changed: {command}");
        }
    }

    private static string? First(params ReadOnlySpan<string?> candidates)
    {
        foreach (string? candidate in candidates)
        {
            if (!string.IsNullOrWhiteSpace(candidate))
            {
                return candidate;
            }
        }

        return null;
    }

    private static string? Find(string program)
    {
        if (program.Contains('/'))
        {
            return FileStatus.IsExecutable(program) ? program : null;
        }

        string path = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => Path.Combine(directory, program))
            .FirstOrDefault(candidate => File.Exists(candidate) && FileStatus.IsExecutable(candidate));
    }
}
