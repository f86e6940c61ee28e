using System.Globalization;
using Qubes.Linux;
using Qubes.Qrexec.CommandLine;
using Qubes.Qrexec.Daemon;

namespace Qubes.Qrexec.QubesDb;

/// <summary>The command line of qubesdb-daemon.</summary>
public sealed record QubesDbDaemonOptions
{
    public const string Usage = """
        usage: qubesdb-daemon [options] DOMAIN-ID [NAME]
        With NAME it is the host's copy of that qube's database (DOMAIN-ID 0: the host's own, which nobody shares);
        without, the copy inside a qube, DOMAIN-ID being the host.
              --rw-socket-perms=OCTAL  mode of the socket for reading and writing (default: 660 on the host, 666 in a qube)
          -D, --foreground             stay in the foreground, log to standard error
              --ready-fd=N             write READY and a newline to descriptor N once the sockets are there
              --root=DIR               prefix of all paths (default: QUBES_ROOT, else /)
              --vchan=auto|socket|virtio
                                       how the qube is reached (auto: socket if VCHAN_SOCKET_DIR is set)
          -h, --help
        """;

    private const UnixFileMode OwnerAndGroup = (UnixFileMode)0b110_110_000;
    private const UnixFileMode Everyone = (UnixFileMode)0b110_110_110;
    private const int AllModes = 0b111_111_111;

    private static readonly OptionSpec[] Specs =
    [
        new("rw-socket-perms", HasValue: true), new("foreground", 'D'), new("ready-fd", HasValue: true), new("root", HasValue: true),
        new("vchan", HasValue: true), new("help", 'h'),
    ];

    /// <summary>The domain at the other end.</summary>
    public required uint DomainId { get; init; }

    /// <summary>Whose database this is; null inside a qube.</summary>
    public string? QubeName { get; init; }

    public required QubesPaths Paths { get; init; }

    public required UnixFileMode WriterMode { get; init; }

    /// <summary>Of the socket for reading: what others may not read on the host, anybody may inside a qube.</summary>
    public UnixFileMode ReaderMode => IsReplica ? Everyone : OwnerAndGroup;

    public bool Foreground { get; init; }

    public int? ReadyDescriptor { get; init; }

    public GuestTransport Transport { get; init; }

    public bool IsReplica => QubeName is null;

    /// <summary>The host's own database.</summary>
    public bool IsHosts => DomainId == 0 && !IsReplica;

    /// <exception cref="UsageException">The command line is wrong, or asks for help (empty message).</exception>
    public static QubesDbDaemonOptions Parse(IReadOnlyList<string> arguments)
    {
        (List<(string Name, string Value)> options, List<string> positional) = OptionScanner.Scan(arguments, Specs);
        Dictionary<string, string> values = [];
        foreach ((string name, string value) in options)
        {
            values[name] = value;
        }

        if (values.ContainsKey("help"))
        {
            throw new UsageException("");
        }

        if (positional.Count is not (1 or 2) || !uint.TryParse(positional[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint id))
        {
            throw new UsageException("a domain id is needed");
        }

        string? qube = positional.Count == 2 && positional[1].Length > 0 ? positional[1] : null;
        if (qube is not null && !TargetName.IsProper(qube))
        {
            throw new UsageException("the name can not be one");
        }

        return new QubesDbDaemonOptions
        {
            DomainId = id,
            QubeName = qube,
            Paths = new QubesPaths(values.GetValueOrDefault("root")),
            WriterMode = values.TryGetValue("rw-socket-perms", out string? mode) ? ModeOf(mode) : qube is null ? Everyone : OwnerAndGroup,
            Foreground = values.ContainsKey("foreground"),
            ReadyDescriptor = values.TryGetValue("ready-fd", out string? fd) ? DaemonOptions.Number("ready-fd", fd) : null,
            Transport = DaemonOptions.TransportOf(values.GetValueOrDefault("vchan", "auto")),
        };
    }

    private static UnixFileMode ModeOf(string text)
    {
        int mode = 0;
        foreach (char digit in text)
        {
            mode = digit is >= '0' and <= '7' && mode <= AllModes ? (mode << 3) | (digit - '0') : int.MaxValue;
        }

        return text.Length > 0 && mode <= AllModes ? (UnixFileMode)mode : throw new UsageException($"'{text}' is no mode");
    }
}
