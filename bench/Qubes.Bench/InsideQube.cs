using System.Globalization;
using Qubes.Linux;

namespace Qubes.Bench;

/// <summary>
/// The two ends of qrexec for one qube, with no guest between them: agent and client are those a guest runs, and sockets carry
/// what a guest's port would. So what is measured is our part of a call, not an emulator's.
/// </summary>
internal sealed class InsideQube : IAsyncDisposable
{
    private const string DomainId = "1";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly ChildProcess _daemon;
    private readonly ChildProcess _agent;

    private InsideQube(ChildProcess daemon, ChildProcess agent, IReadOnlyDictionary<string, string?> environment)
    {
        _daemon = daemon;
        _agent = agent;
        Environment = environment;
    }

    /// <summary>For the programs that run in the qube.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; }

    /// <summary>Returns when the qube can call.</summary>
    public static async Task<InsideQube> StartAsync(Programs programs, QubesPaths host, int number)
    {
        string guest = host.Under("guest");
        string sockets = Directory.CreateDirectory(Path.Join(guest, "vchan")).FullName;
        Directory.CreateDirectory(Path.Join(guest, "run/qubes"));
        Directory.CreateDirectory(Path.Join(guest, "var"));
        File.CreateSymbolicLink(Path.Join(guest, "var/run"), "../run");
        Dictionary<string, string?> transport = new() { ["VCHAN_SOCKET_DIR"] = sockets };
        string uuid = string.Create(CultureInfo.InvariantCulture, $"00000000-0000-4000-8000-{number + 1:x12}");
        ChildProcess daemon = programs.Start(
            "qrexec-daemon", ["--quiet", "--foreground", "--vchan=socket", "-u", uuid, DomainId, ScratchHost.QubeName(number), "user"], transport);
        using ReadySocket ready = new();
        Dictionary<string, string?> inside = new(transport) { ["VCHAN_DOMAIN"] = DomainId, [QubesPaths.RootVariable] = guest };
        ChildProcess agent = programs.Start("qrexec-agent", [], new Dictionary<string, string?>(inside) { ["NOTIFY_SOCKET"] = ready.Address });
        return await ready.WaitAsync(agent.Exited, s_patience) is not null
            ? new InsideQube(daemon, agent, inside)
            : throw new InvalidOperationException($"qrexec-agent ended with {await agent.Exited}");
    }

    public async ValueTask DisposeAsync()
    {
        _agent.KillGroup();
        _daemon.KillGroup();
        await Task.WhenAll(_agent.Exited, _daemon.Exited);
    }
}
