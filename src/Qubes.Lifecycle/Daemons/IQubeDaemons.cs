using Qubes.Lifecycle.Control;
using Qubes.Model.Classes;

namespace Qubes.Lifecycle.Daemons;

/// <summary>One kind of daemon of which every running qube has one. Called on the model loop.</summary>
internal interface IQubeDaemons
{
    /// <summary>What people call it.</summary>
    string Title { get; }

    /// <summary>Starts a qube's daemon and waits until it is ready.</summary>
    /// <param name="isFirst">The qube is being started; else the daemon takes the place of one that is gone.</param>
    /// <param name="ended">The qube is gone: give up.</param>
    /// <exception cref="Protocol.Errors.QubesException">It could not be started, and does not run.</exception>
    Task<QubeDaemon> StartAsync(LocalQube qube, bool isFirst, CancellationToken ended);

    /// <summary>The daemon that an earlier run of this program has left for a qube; null without one.</summary>
    Task<QubeDaemon?> FindAsync(string name);

    /// <summary>The names of the qubes that have a daemon's socket, served or left over. Reads a directory; called off the loop.</summary>
    IEnumerable<string> ListServed();

    /// <summary>A daemon is there for the qube. What fails here makes the daemon unfit.</summary>
    /// <param name="isNew">It was just started; else it was found.</param>
    Task ConnectAsync(LocalQube qube, QubeRun run, QubeDaemon daemon, bool isNew);
}
