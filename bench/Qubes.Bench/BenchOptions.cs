namespace Qubes.Bench;

/// <summary>The command line.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        usage: bench/run [--quick] [--root DIR]

        Measures qubesd against the targets of the design: starts the published daemon on scratch roots with 10 and with 1000
        qubes and drives its sockets. Ends with status 1 if a target is missed.

          --quick     a second for each measurement, for a first look
          --root DIR  where the scratch roots are made; on the disk whose durability counts (default: ./var/bench)

        """;

    /// <summary>The daemon to measure.</summary>
    public string Daemon { get; private set; } = "";

    public string Root { get; private set; } = "var/bench";

    public bool IsQuick { get; private set; }

    /// <summary>How long each load runs, after a warm-up of a third of it.</summary>
    public TimeSpan Duration => IsQuick ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(5);

    /// <summary>How often the daemon is started to measure its start; the median counts.</summary>
    public int Starts => IsQuick ? 3 : 9;

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
                case "--daemon" when i + 1 < args.Length:
                    options.Daemon = args[++i];
                    break;
                default:
                    return null;
            }
        }

        return options.Daemon.Length > 0 ? options : null;
    }
}
