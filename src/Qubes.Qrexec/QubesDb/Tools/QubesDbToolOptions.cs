using System.Globalization;
using Qubes.Qrexec.CommandLine;

namespace Qubes.Qrexec.QubesDb.Tools;

/// <summary>The command line of the qubesdb-* tools.</summary>
internal sealed record QubesDbToolOptions
{
    public const string Usage = """
        usage: qubesdb-cmd -c COMMAND [options] [argument...], or qubesdb-COMMAND [options] [argument...]
          -f            print full paths (multiread, list), or paths at all (read)
          -r            print values as they are, else what cannot be printed stands as \xHH
          -q            print no errors
          -d NAME       the database of that qube (on the host), else the own one
          -w            wait for a value (read)
          -x            remove the entry once it is read (read)
          -e, --default=VALUE  print VALUE if there is no such entry (read, one path)
          -n N          end after N changes (watch; default 1, negative: never)
          -h            print this
        commands:
          read PATH...           write PATH VALUE [PATH VALUE...]
          rm PATH...             multiread PREFIX...
          list PREFIX            watch PATH...
        Exit status: 0, 1 for a failure, 2 if all that failed is that an entry to be read does not exist.
        """;

    private static readonly OptionSpec[] Specs =
    [
        new("c", 'c', HasValue: true), new("d", 'd', HasValue: true), new("f", 'f'), new("r", 'r'), new("q", 'q'), new("w", 'w'), new("x", 'x'),
        new("default", 'e', HasValue: true), new("n", 'n', HasValue: true), new("h", 'h'),
    ];

    public string Command { get; private init; } = "";

    public string? Qube { get; private init; }

    public bool WithFullPaths { get; private init; }

    public bool IsRaw { get; private init; }

    public bool IsQuiet { get; private init; }

    public bool Waits { get; private init; }

    public bool Removes { get; private init; }

    public string? Default { get; private init; }

    public int WatchCount { get; private init; } = 1;

    public bool IsHelp { get; private init; }

    public IReadOnlyList<string> Arguments { get; private init; } = [];

    /// <param name="name">What the program was called as.</param>
    /// <param name="arguments">Its command line.</param>
    /// <exception cref="UsageException">The command line is wrong.</exception>
    public static QubesDbToolOptions Parse(string name, IReadOnlyList<string> arguments)
    {
        (List<(string Name, string Value)> given, List<string> positional) = OptionScanner.Scan(arguments, Specs);
        string command = name[(name.LastIndexOf('-') + 1)..];
        QubesDbToolOptions options = new() { Command = command == "cmd" ? "" : command, Arguments = positional, IsHelp = arguments.Count == 0 };
        foreach ((string option, string value) in given)
        {
            options = option switch
            {
                "c" when options.Command.Length == 0 => options with { Command = value },
                "c" => throw new UsageException("-c only valid for qubesdb-cmd"),
                "d" => options with { Qube = value },
                "f" => options with { WithFullPaths = true },
                "r" => options with { IsRaw = true },
                "q" => options with { IsQuiet = true },
                "w" => options with { Waits = true },
                "x" => options with { Removes = true },
                "default" => options with { Default = value },
                "n" => options with { WatchCount = Count(value) },
                _ => options with { IsHelp = true },
            };
        }

        return options;
    }

    private static int Count(string text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int count)
        ? count
        : throw new UsageException("option '-n' needs a number");
}
