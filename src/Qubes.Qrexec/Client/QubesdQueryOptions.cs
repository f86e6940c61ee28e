using System.Globalization;
using Qubes.Linux;
using Qubes.Protocol.Admin;
using Qubes.Qrexec.CommandLine;

namespace Qubes.Qrexec.Client;

/// <summary>The command line of qubesd-query.</summary>
public sealed record QubesdQueryOptions
{
    public const string Usage = """
        usage: qubesd-query [options] SRC METHOD DEST [ARGUMENT]
          -c, --connect=PATH  socket to connect to (default: run/qubesd.sock under QUBES_ROOT)
          -e, --empty         send an empty payload instead of standard input
              --fail          exit with the kind of the reply: 0 success, 1 event, 2 exception
              --max-bytes=N   longest payload accepted (default 65536, with --single-line 1024)
              --single-line   the payload is one line of printable ASCII, sent without its end
              --null          write a NUL after the reply
          -h, --help
        """;

    private const int SingleLineDefault = 1024;

    private static readonly OptionSpec[] Specs =
    [
        new("connect", 'c', HasValue: true), new("empty", 'e'), new("fail"), new("max-bytes", HasValue: true), new("single-line"),
        new("null"), new("help", 'h'),
    ];

    public required string Source { get; init; }

    public required string Method { get; init; }

    public required string Destination { get; init; }

    public string Argument { get; init; } = "";

    public required string SocketPath { get; init; }

    public bool IsEmpty { get; init; }

    public bool Fail { get; init; }

    public bool IsSingleLine { get; init; }

    public bool AppendNull { get; init; }

    /// <summary>Bytes of payload.</summary>
    public int MaxBytes { get; init; }

    public bool IsHelp { get; init; }

    /// <exception cref="UsageException">The command line is wrong.</exception>
    public static QubesdQueryOptions Parse(IReadOnlyList<string> arguments)
    {
        (List<(string Name, string Value)> options, List<string> positional) = OptionScanner.Scan(arguments, Specs);
        Dictionary<string, string> values = [];
        foreach ((string name, string value) in options)
        {
            values[name] = value;
        }

        bool help = values.ContainsKey("help");
        if (!help && positional.Count is not (3 or 4))
        {
            throw new UsageException("source, method and destination are needed");
        }

        bool singleLine = values.ContainsKey("single-line");
        return new QubesdQueryOptions
        {
            Source = positional.ElementAtOrDefault(0) ?? "",
            Method = positional.ElementAtOrDefault(1) ?? "",
            Destination = positional.ElementAtOrDefault(2) ?? "",
            Argument = positional.ElementAtOrDefault(3) ?? "",
            SocketPath = values.GetValueOrDefault("connect") ?? new QubesPaths().AdminSocket,
            IsEmpty = values.ContainsKey("empty"),
            Fail = values.ContainsKey("fail"),
            IsSingleLine = singleLine,
            AppendNull = values.ContainsKey("null"),
            MaxBytes = MaxBytesOf(values.GetValueOrDefault("max-bytes"), singleLine),
            IsHelp = help,
        };
    }

    private static int MaxBytesOf(string? text, bool singleLine)
    {
        if (text is null)
        {
            return singleLine ? SingleLineDefault : AdminLimits.MaxRequestBytes;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= AdminLimits.MaxRequestBytes
            ? number
            : throw new UsageException($"--max-bytes needs a number up to {AdminLimits.MaxRequestBytes}");
    }
}
