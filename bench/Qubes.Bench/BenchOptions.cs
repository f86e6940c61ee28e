namespace Qubes.Bench;

/// <summary>The command line.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        usage: bench/run [--quick] [--root DIR]

        Measures the published programs against the targets of the design: starts the daemon on scratch roots with 10 and with 1000
        qubes, drives its sockets and runs tools. Ends with status 1 if a target is missed.

          --quick     a second for each measurement, for a first look
          --root DIR  where the scratch roots are made; on the disk whose durability counts (default: ./var/bench)

        """;

    /// <summary>Where the programs are that are measured, under the names they are called by.</summary>
    public string Programs { get; private set; } = "";

    public string Daemon => Path.Join(Programs, "qubesd");

    public string Root { get; private set; } = "var/bench";

    public bool IsQuick { get; private set; }

    /// <summary>How long each load runs, after a warm-up of a third of it.</summary>
    public TimeSpan Duration => IsQuick ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(5);

    /// <summary>How often the daemon is started to measure its start; the median counts.</summary>
    public int Starts => IsQuick ? 3 : 9;

    /// <summary>How often a program is run; the median counts.</summary>
    public int Runs => IsQuick ? 20 : 100;

    /// <returns>Null if the command line is not understood.</returns>
    public static BenchOptions? Parse(string[] args)
    {
        BenchOptions options = new();
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--quick":
                    options.IsQuick = true;
                    break;
                case "--root" when i + 1 < args.Length:
                    options.Root = args[++i];
                    break;
                case "--programs" when i + 1 < args.Length:
                    options.Programs = args[++i];
                    break;
                default:
                    return null;
            }
        }

        return options.Programs.Length > 0 ? options : null;
    }
}
