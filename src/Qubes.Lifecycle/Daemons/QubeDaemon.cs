using Qubes.Linux;

namespace Qubes.Lifecycle.Daemons;

/// <summary>A running daemon of a qube: our child, or one that an earlier run of this program has left.</summary>
internal sealed class QubeDaemon
{
    private static readonly TimeSpan GentleStop = TimeSpan.FromSeconds(3);
    private readonly Action<int> _kill;

    public QubeDaemon(ChildProcess child)
    {
        Id = child.Id;
        Exited = child.Exited;
        _kill = child.Kill;
    }

    public QubeDaemon(ProcessWatch found)
    {
        Id = found.Id;
        Exited = found.Exited;
        _kill = signal => found.Kill(signal);
    }

    public int Id { get; }

    public Task Exited { get; }

    /// <summary>Ends it: asks, and after a while takes it down.</summary>
    public async Task StopAsync(TimeProvider time)
    {
        _kill(ChildProcess.SIGTERM);
        try
        {
            await Exited.WaitAsync(GentleStop, time);
        }
        catch (TimeoutException)
        {
            Kill();
            await Exited;
        }
    }

    /// <summary>Takes it down, without waiting.</summary>
    public void Kill() => _kill(ChildProcess.SIGKILL);
}
