using System.Globalization;
using Qubes.Linux;
using Qubes.Protocol.Qrexec;
using Qubes.Qrexec.CommandLine;

namespace Qubes.Qrexec.Client;

/// <summary>An approved request to connect (<c>-c id,source name,source id</c>).</summary>
/// <param name="Id">The request's identifier.</param>
/// <param name="SourceName">The qube that asked.</param>
/// <param name="SourceDomain">Its domain id.</param>
public sealed record ApprovedRequest(RequestId Id, string SourceName, uint SourceDomain);

/// <summary>The command line of qrexec-client.</summary>
public sealed record QrexecClientOptions
{
    public const string Usage = """
        usage: qrexec-client [options] -d TARGET [-l PROGRAM | -c ID,SOURCE-NAME,SOURCE-ID | -e] COMMAND
          -d TARGET            name, domain id or uuid:UUID of a qube, or dom0
          -l PROGRAM           run this here and connect it, instead of our own input and output
          -e                   only start the command, without input and output
          -c ID,NAME,ID        connect an approved request of another qube
          -E, --no-exit-code   exit with 0 whatever the remote exit code
          -t, -T               replace control and non-ASCII bytes in standard output, standard error
          -w SECONDS           how long the data connection may take (default 10, 0 = for ever)
          -W                   with -c: wait until the call has ended
          -k                   kill the target at the end
          -p, --prefix-data=DATA
                               send this before standard input
              --use-stdin-socket
                               descriptor 0 is a socket to be used in both directions
              --socket-dir=PATH
                               directory of the daemons' sockets (default: run/qubes under QUBES_ROOT)
          -h                   this text
        """;

    private static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(10);

    private static readonly OptionSpec[] Specs =
    [
        new("d", 'd', HasValue: true), new("l", 'l', HasValue: true), new("e", 'e'), new("c", 'c', HasValue: true),
        new("no-exit-code", 'E'), new("t", 't'), new("T", 'T'), new("w", 'w', HasValue: true), new("W", 'W'), new("k", 'k'),
        new("prefix-data", 'p', HasValue: true), new("use-stdin-socket"), new("socket-dir", HasValue: true), new("help", 'h'),
    ];

    public string Target { get; init; } = "";

    public string Command { get; init; } = "";

    public string? LocalProgram { get; init; }

    public bool JustExec { get; init; }

    public ApprovedRequest? Connect { get; init; }

    public bool IgnoreExitCode { get; init; }

    public bool FilterOutput { get; init; }

    public bool FilterError { get; init; }

    /// <summary>How long the data connection may take; infinite for ever.</summary>
    public TimeSpan ConnectTimeout { get; init; } = DefaultConnectTimeout;

    public bool WaitForEnd { get; init; }

    public bool KillTarget { get; init; }

    public string? PrefixData { get; init; }

    public bool UseStdinSocket { get; init; }

    public required QubesPaths Paths { get; init; }

    public required string SocketDirectory { get; init; }

    /// <summary>Directory of socket vchans; null when qubes are reached through their brokers.</summary>
    public string? VchanSocketDirectory { get; init; } = HostTransport.SocketDirectoryFromEnvironment;

    public bool IsHelp { get; init; }

    /// <exception cref="UsageException">The command line is wrong (status 1).</exception>
    /// <exception cref="BadOptionException">An option that can be given once came twice (status 2).</exception>
    public static QrexecClientOptions Parse(IReadOnlyList<string> arguments)
    {
        (List<(string Name, string Value)> given, List<string> positional) = OptionScanner.Scan(arguments, Specs);
        QubesPaths paths = new();
        QrexecClientOptions options = new() { Paths = paths, SocketDirectory = paths.QubesRunDirectory };
        foreach ((string name, string value) in given)
        {
            options = options.With(name, value);
        }

        if (options.IsHelp)
        {
            return options;
        }

        if (options.Target.Length == 0 || positional.Count != 1)
        {
            throw new UsageException("a target and one command are needed");
        }

        if ((options.JustExec ? 1 : 0) + (options.Connect is null ? 0 : 1) + (options.LocalProgram is null ? 0 : 1) > 1
            || (options.LocalProgram is not null && options.UseStdinSocket))
        {
            throw new UsageException("-e, -c, -l exclude each other, and -l excludes --use-stdin-socket");
        }

        return options with { Command = positional[0] };
    }

    private QrexecClientOptions With(string name, string value) => name switch
    {
        "d" => this with { Target = value },
        "l" => this with { LocalProgram = value },
        "e" => this with { JustExec = true },
        "c" => this with { Connect = ParseConnect(value) },
        "no-exit-code" => this with { IgnoreExitCode = true },
        "t" => this with { FilterOutput = true },
        "T" => this with { FilterError = true },
        "w" => this with { ConnectTimeout = ParseNumber(value) is var seconds and > 0 ? TimeSpan.FromSeconds(seconds) : Timeout.InfiniteTimeSpan },
        "W" => this with { WaitForEnd = true },
        "k" => this with { KillTarget = true },
        "prefix-data" => PrefixData is null ? this with { PrefixData = value } : throw new BadOptionException("-p may be given once"),
        "use-stdin-socket" => UseStdinSocket
            ? throw new BadOptionException("--use-stdin-socket may be given once")
            : this with { UseStdinSocket = true },
        "socket-dir" => this with { SocketDirectory = value },
        _ => this with { IsHelp = true },
    };

    private static ApprovedRequest ParseConnect(string text)
    {
        string[] parts = text.Split(',');
        if (parts.Length != 3 || parts[1].Length == 0 || parts[1] is "dom0" or "@adminvm"
            || RequestId.FromText(QrexecCommand.ToBytes(parts[0])) is not { IsValid: true } id
            || ParseNumber(parts[2]) is var domain && domain == 0)
        {
            throw new UsageException("-c needs ID,SOURCE-NAME,SOURCE-ID of a request of a qube");
        }

        return new ApprovedRequest(id, parts[1], domain);
    }

    // As strtol with base 0: decimal, 0x hexadecimal, 0 octal.
    private static uint ParseNumber(string text)
    {
        try
        {
            uint number = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? uint.Parse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                : text.Length > 1 && text[0] == '0' ? Convert.ToUInt32(text, 8)
                : uint.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
            return number <= int.MaxValue ? number : throw new UsageException($"number '{text}' out of range");
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            throw new UsageException($"'{text}' is not a number");
        }
    }
}
