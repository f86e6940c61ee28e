using System.Globalization;
using Qubes.Linux;
using Qubes.Qrexec.CommandLine;

namespace Qubes.Qrexec.ClientVm;

/// <summary>The command line of qrexec-client-vm.</summary>
public sealed record ClientVmOptions
{
    public const string Usage = """
        usage: qrexec-client-vm [options] TARGET SERVICE[+ARGUMENT] [PROGRAM [ARGUMENT...]]
          -t, --filter-escape-chars-stdout     replace control and non-ASCII bytes in standard output (default on a terminal)
          -T, --filter-escape-chars-stderr     the same for standard error
              --no-filter-escape-chars-stdout  do not
              --no-filter-escape-chars-stderr  do not
          -a, --agent-socket=PATH              socket of the agent (default: /var/run/qubes/qrexec-agent)
          -p, --prefix-data=DATA               send this before standard input
          -s, --source-qube=NAME               ask on behalf of this qube
              --buffer-size=N                  accepted for compatibility: buffers follow the other side's pace
              --use-stdin-socket               descriptor 0 is a socket to be used in both directions
          -h, --help                           this text
        The exit status is the service's; if that is 0, the program's. 126: refused, 127: no such service, 125: other trouble,
        255: the other side went away.
        """;

    private static readonly OptionSpec[] Specs =
    [
        new("filter-escape-chars-stdout", 't'), new("filter-escape-chars-stderr", 'T'), new("no-filter-escape-chars-stdout"),
        new("no-filter-escape-chars-stderr"), new("agent-socket", 'a', HasValue: true), new("prefix-data", 'p', HasValue: true),
        new("source-qube", 's', HasValue: true), new("buffer-size", HasValue: true), new("use-stdin-socket"), new("help", 'h'),
    ];

    public string Target { get; init; } = "";

    public string Service { get; init; } = "";

    /// <summary>Path of the local program to connect, with its arguments; empty for our own streams.</summary>
    public IReadOnlyList<string> Program { get; init; } = [];

    /// <summary>Null: as the terminal decides.</summary>
    public bool? FilterOutput { get; init; }

    /// <summary>Null: as the terminal decides.</summary>
    public bool? FilterError { get; init; }

    public required string AgentSocket { get; init; }

    public string? PrefixData { get; init; }

    public string? SourceQube { get; init; }

    public bool UseStdinSocket { get; init; }

    public bool IsHelp { get; init; }

    /// <exception cref="UsageException">The command line is wrong.</exception>
    public static ClientVmOptions Parse(IReadOnlyList<string> arguments, QubesPaths paths)
    {
        (List<(string Name, string Value)> given, List<string> positional) = OptionScanner.Scan(arguments, Specs, stopAtPositional: true);
        ClientVmOptions options = new() { AgentSocket = paths.Under("run/qubes/qrexec-agent") };
        foreach ((string name, string value) in given)
        {
            options = options.With(name, value);
        }

        if (options.IsHelp)
        {
            return options;
        }

        if (positional.Count < 2)
        {
            throw new UsageException("a target and a service are needed");
        }

        options = options with { Target = positional[0].Replace('$', '@'), Service = positional[1], Program = positional[2..] };
        return options.UseStdinSocket && options.Program.Count > 0
            ? throw new UsageException("--use-stdin-socket does not go with a program")
            : options;
    }

    private ClientVmOptions With(string name, string value) => name switch
    {
        "filter-escape-chars-stdout" => this with { FilterOutput = true },
        "filter-escape-chars-stderr" => this with { FilterError = true },
        "no-filter-escape-chars-stdout" => this with { FilterOutput = false },
        "no-filter-escape-chars-stderr" => this with { FilterError = false },
        "agent-socket" => this with { AgentSocket = value },
        "prefix-data" => PrefixData is null ? this with { PrefixData = value } : throw new UsageException("-p may be given once"),
        "source-qube" => SourceQube is null ? this with { SourceQube = value } : throw new UsageException("-s may be given once"),
        "buffer-size" => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? this
            : throw new UsageException($"'{value}' is not a number"),
        "use-stdin-socket" => this with { UseStdinSocket = true },
        _ => this with { IsHelp = true },
    };
}
