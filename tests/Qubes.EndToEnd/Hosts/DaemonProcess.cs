using System.Globalization;
using System.Net.Sockets;
using Qubes.Linux;

namespace Qubes.EndToEnd.Hosts;

/// <summary>What the kernel says of the process that serves a socket.</summary>
internal sealed class DaemonProcess
{
    private readonly Dictionary<string, string> _status;

    private DaemonProcess(int id)
    {
        Id = id;
        _status = File.ReadAllLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/status"))
            .Select(line => line.Split(':', 2)).ToDictionary(words => words[0], words => words[1].Trim(), StringComparer.Ordinal);
    }

    public int Id { get; }

    /// <summary>The real, effective, saved and file system user.</summary>
    public uint[] Users => Numbers("Uid");

    /// <summary>As <see cref="Users"/>.</summary>
    public uint[] OwnGroups => Numbers("Gid");

    public uint[] Groups => Numbers("Groups");

    /// <summary>What it may do, or could ever have again without a program that gives it: hexadecimal masks.</summary>
    public string[] Capabilities => [_status["CapEff"], _status["CapPrm"], _status["CapInh"], _status["CapAmb"]];

    public bool HasNoNewPrivileges => _status["NoNewPrivs"] == "1";

    /// <summary>Of the one that began to listen there.</summary>
    public static async Task<DaemonProcess> AtAsync(string socketPath)
    {
        using Socket connection = await UnixAddress.ConnectAsync(socketPath).WaitAsync(ScratchHost.Patience);
        return new DaemonProcess(PeerCredentials.Of(connection).ProcessId);
    }

    private uint[] Numbers(string key) =>
        [.. _status[key].Split((char[])['\t', ' '], StringSplitOptions.RemoveEmptyEntries).Select(number => uint.Parse(number, CultureInfo.InvariantCulture))];
}
