using Qubes.Lifecycle.Control;
using Qubes.Lifecycle.Daemons;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Network;
using Qubes.Model.QubesDb;

namespace Qubes.Lifecycle.QubesDb;

/// <summary>Gives each running qube its database and keeps in step with the model what changes while it runs.</summary>
/// <param name="daemons">Null where there are no daemons: databases are in this process then, and no guest sees them.</param>
internal sealed class QubeDatabases(HostTimeZone timeZone, DaemonSupervisor? daemons)
{
    /// <summary>Whose end is the end of the host's own database: never, while we run.</summary>
    private readonly QubeRun _hostRun = new() { IsLaunched = true };

    /// <summary>Attaches the handlers of changes.</summary>
    public void Register(EventHandlers events) => events.On(EmitterClass.QubesVM, NetworkProperties.NetVM.SetEvent, AfterNetVM);

    /// <summary>For a start: when it returns, the database is filled, and <c>domain-qdb-create</c> was fired.</summary>
    public async Task StartAsync(QubesVM qube, QubeRun run)
    {
        if (daemons is not null)
        {
            await daemons.StartAsync(qube, run);
            return;
        }

        AttachMemory(qube);
        QubesDbEntries.Write(qube, await timeZone.LookAsync());
    }

    /// <summary>For a qube found running: its database, as it is, or a new one that is filled.</summary>
    public async Task AdoptAsync(QubesVM qube, QubeRun run)
    {
        if (daemons is not null)
        {
            await daemons.AdoptAsync(qube, run);
            return;
        }

        AttachMemory(qube);
        QubesDbEntries.Write(qube, await timeZone.LookAsync());
    }

    /// <summary>The host's own database.</summary>
    public Task AttachHostAsync(LocalQube host)
    {
        if (daemons is not null)
        {
            return daemons.AdoptAsync(host, _hostRun);
        }

        AttachMemory(host);
        return Task.CompletedTask;
    }

    /// <summary>For our own stop: the host's database outlives us like those of running qubes, and as long as there is one.</summary>
    public async Task ReleaseHostAsync(bool anyQubeRuns)
    {
        if (!anyQubeRuns)
        {
            _hostRun.End();
            await Task.WhenAll(_hostRun.Daemons.Values.Select(daemon => daemon.StopAsync(TimeProvider.System)));
        }
    }

    /// <summary>The names of the qubes whose daemons have left a socket, served or not. Reads a directory.</summary>
    public IEnumerable<string> ListServed() => daemons?.ListServed() ?? [];

    public Task StopLeftoverAsync(LocalQube qube) => daemons?.StopLeftoverAsync(qube) ?? Task.CompletedTask;

    private static void AttachMemory(LocalQube qube) => qube.QubesDb.Attach(new MemoryQubesDb(qube.QubesDb.TellChange));

    // The new network's keys, and whatever of other keys depends on it.
    private void AfterNetVM(QubesEvent qubesEvent)
    {
        QubesVM qube = (QubesVM)qubesEvent.Subject;
        if (qube.QubesDb.IsConnected && qubesEvent.Arguments["newvalue"] is not null)
        {
            QubesDbEntries.Write(qube, timeZone.Current);
        }
    }
}
