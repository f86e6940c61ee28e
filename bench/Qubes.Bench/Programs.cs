using System.Diagnostics;
using Qubes.Linux;

namespace Qubes.Bench;

/// <summary>Whole runs of the published programs, from before the process is made until it was seen to end.</summary>
internal sealed class Programs(string directory, string root)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    public string PathOf(string program) => Path.Join(directory, program);

    /// <summary>Starts one that finds the host by its root, and goes on; what it says is dropped.</summary>
    public ChildProcess Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        Dictionary<string, string?> changes = environment is null ? [] : new(environment);
        changes.TryAdd(QubesPaths.RootVariable, root);
        return ChildProcess.Start(new ChildProcessOptions
        {
            FileName = PathOf(program), Arguments = arguments, EnvironmentChanges = changes, NewSession = true,
        });
    }

    /// <summary>The times of <paramref name="times"/> runs one after another, from the shortest to the longest. Each has to succeed.</summary>
    public async Task<IReadOnlyList<TimeSpan>> MeasureAsync(
        int times, string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        List<TimeSpan> taken = [];

        // The first run brings the program's file into memory.
        for (int i = 0; i <= times; i++)
        {
            long before = Stopwatch.GetTimestamp();
            ProcessExit exit = await Start(program, arguments, environment).Exited.WaitAsync(s_patience);
            if (!exit.IsSuccess)
            {
                throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {exit}");
            }

            if (i > 0)
            {
                taken.Add(Stopwatch.GetElapsedTime(before));
            }
        }

        taken.Sort();
        return taken;
    }
}
