using System.Globalization;
using Qubes.Linux;
using Qubes.Qrexec.CommandLine;

namespace Qubes.Qrexec.Daemon;

/// <summary>How the daemon's vchans reach the guest.</summary>
public enum GuestTransport
{
    /// <summary>UNIX sockets in a directory when <c>VCHAN_SOCKET_DIR</c> is set, else the virtio-serial port.</summary>
    Auto,

    /// <summary>UNIX sockets in a directory, one a vchan.</summary>
    Socket,

    /// <summary>All vchans over the guest's virtio-serial port, on whose host end the hypervisor listens.</summary>
    Virtio,
}

/// <summary>The command line and environment of qrexec-daemon.</summary>
public sealed record DaemonOptions
{
    public const string Usage = """
        usage: qrexec-daemon [options] -u UUID DOMAIN-ID DOMAIN-NAME [DEFAULT-USER]
          -u, --uuid=UUID             UUID of the qube (required)
          -q, --quiet                 no progress output
          -D, --direct, --foreground  stay in the foreground, log to standard error
              --ready-fd=N            write READY and a newline to descriptor N once the agent is connected
              --root=DIR              prefix of all paths (default: QUBES_ROOT, else /)
              --socket-dir=PATH       directory of the local sockets (default: run/qubes under the root)
          -p, --policy-program=PATH   asked when the policy socket is not there
              --vchan=auto|socket|virtio
                                      how the guest is reached (auto: socket if VCHAN_SOCKET_DIR is set)
          -h, --help
        """;

    private const string DefaultUserName = "user";
    private const int DefaultStartupSeconds = 60;

    private static readonly OptionSpec[] Specs =
    [
        new("uuid", 'u', HasValue: true), new("quiet", 'q'), new("direct", 'D'), new("foreground"), new("ready-fd", HasValue: true),
        new("root", HasValue: true), new("socket-dir", HasValue: true), new("policy-program", 'p', HasValue: true),
        new("vchan", HasValue: true), new("help", 'h'),
    ];

    /// <summary>Where socket vchans are.</summary>
    internal static string SocketDirectoryFromEnvironment => Environment.GetEnvironmentVariable("VCHAN_SOCKET_DIR") ?? "/var/run/vchan";

    public required uint DomainId { get; init; }

    public required string QubeName { get; init; }

    public required string Uuid { get; init; }

    public string DefaultUser { get; init; } = DefaultUserName;

    public required QubesPaths Paths { get; init; }

    public required string SocketDirectory { get; init; }

    public required string PolicyProgram { get; init; }

    public bool Quiet { get; init; }

    public bool Foreground { get; init; }

    /// <summary>Descriptor that is told of readiness.</summary>
    public int? ReadyDescriptor { get; init; }

    public GuestTransport Transport { get; init; }

    /// <summary>Directory of socket vchans.</summary>
    public required string VchanSocketDirectory { get; init; }

    /// <summary>How long the agent may take to connect; null: for ever, and readiness is told at once.</summary>
    public TimeSpan? StartupTimeout { get; init; }

    /// <exception cref="UsageException">The command line is wrong, or asks for help (empty message).</exception>
    public static DaemonOptions Parse(IReadOnlyList<string> arguments)
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

        if (positional.Count is not (2 or 3) || !values.TryGetValue("uuid", out string? uuid) || !TargetName.IsUuid("uuid:" + uuid))
        {
            throw new UsageException("a UUID, a domain id and a domain name are needed");
        }

        if (!uint.TryParse(positional[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint id) || id == 0)
        {
            throw new UsageException($"domain id={positional[0]}?");
        }

        if (!TargetName.IsProper(positional[1]))
        {
            throw new UsageException("the domain name can not be one");
        }

        QubesPaths paths = new(values.GetValueOrDefault("root"));
        return new DaemonOptions
        {
            DomainId = id,
            QubeName = positional[1],
            Uuid = uuid,
            DefaultUser = positional.Count == 3 ? positional[2] : DefaultUserName,
            Paths = paths,
            SocketDirectory = values.GetValueOrDefault("socket-dir", paths.QubesRunDirectory),
            PolicyProgram = values.GetValueOrDefault("policy-program", paths.Under("usr/bin/qrexec-policy-exec")),
            Quiet = values.ContainsKey("quiet"),
            Foreground = values.ContainsKey("direct") || values.ContainsKey("foreground"),
            ReadyDescriptor = values.TryGetValue("ready-fd", out string? fd) ? Number("ready-fd", fd) : null,
            Transport = TransportOf(values.GetValueOrDefault("vchan", "auto")),
            VchanSocketDirectory = SocketDirectoryFromEnvironment,
            StartupTimeout = StartupTimeoutFromEnvironment(),
        };
    }

    internal static GuestTransport TransportOf(string text) => text switch
    {
        "socket" => GuestTransport.Socket,
        "virtio" => GuestTransport.Virtio,
        "auto" => Environment.GetEnvironmentVariable("VCHAN_SOCKET_DIR") is { Length: > 0 } ? GuestTransport.Socket : GuestTransport.Virtio,
        _ => throw new UsageException($"unknown transport '{text}'"),
    };

    internal static int Number(string option, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new UsageException($"option '--{option}' needs a number");

    private static TimeSpan? StartupTimeoutFromEnvironment()
    {
        if (Environment.GetEnvironmentVariable("QREXEC_STARTUP_NOWAIT") is not null)
        {
            return null;
        }

        bool given = int.TryParse(
            Environment.GetEnvironmentVariable("QREXEC_STARTUP_TIMEOUT"), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds);
        return TimeSpan.FromSeconds(given && seconds > 0 ? seconds : DefaultStartupSeconds);
    }
}
