using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>
/// A place where volumes live, run by a driver. Immutable: a changed option makes a new pool object (<see cref="With"/>), so that
/// operations under way keep the settings they began with. Thread-safe.
/// </summary>
public abstract class Pool
{
    public const int DefaultRevisionsToKeep = 1;

    private protected Pool(PoolConfig config, PoolDriverInfo driver, StorageEnvironment environment, PoolState state)
    {
        Config = config with { Options = [.. config.Options.Where(option => driver.Parameters.Any(p => p.Name == option.Key && p.IsStored))] };
        Driver = driver;
        Environment = environment;
        State = state;
        RevisionsToKeep = ParseRevisions(config["revisions_to_keep"]);
        EphemeralVolatile = ParseBool(config["ephemeral_volatile"]);
    }

    /// <summary>What the store keeps of it, options in the driver's order; those that matter only when it is made are left out.</summary>
    public PoolConfig Config { get; }

    public string Name => Config.Name;

    public PoolDriverInfo Driver { get; }

    /// <summary>For volumes that do not say: -1 no snapshots at all, 0 none kept, n older states kept.</summary>
    public virtual int RevisionsToKeep { get; }

    /// <summary>For volatile volumes that do not say: encrypt with a key nobody keeps.</summary>
    public bool EphemeralVolatile { get; }

    protected StorageEnvironment Environment { get; }

    /// <summary>Shared by all objects that stand for this pool in its life.</summary>
    private protected PoolState State { get; }

    /// <summary>The lock of each volume, by vid: two handles of one volume exclude each other.</summary>
    internal KeyedAsyncLocks<string> Locks => State.VolumeLocks;

    /// <summary>The directory the pool is in; null if it is not in one.</summary>
    public virtual string? DirectoryPath => null;

    /// <summary>The id a new volume gets. Touches no disk.</summary>
    /// <param name="qubeDirectory"><c>appvms/NAME</c> or <c>vm-templates/NAME</c>.</param>
    /// <param name="volumeName">The name within the qube.</param>
    public abstract string NewVid(string qubeDirectory, string volumeName);

    /// <summary>A handle for the volume so configured; it need not exist yet. Touches no disk.</summary>
    /// <exception cref="QubesException">The configuration makes no sense to this driver.</exception>
    public abstract Volume Open(VolumeConfig config);

    /// <summary>Prepares a new pool's place. Called once, when the pool is added.</summary>
    public abstract Task SetupAsync(CancellationToken cancellationToken = default);

    /// <summary>Finishes or takes back what a crash has interrupted. Called at each daemon start, before anything else.</summary>
    /// <returns>How many operations were found interrupted.</returns>
    public abstract Task<int> RecoverAsync(CancellationToken cancellationToken = default);

    /// <summary>It is no longer configured. Its data stays.</summary>
    public virtual Task CloseAsync() => Task.CompletedTask;

    /// <summary>Null when not known.</summary>
    public abstract Task<PoolUsage?> GetUsageAsync(CancellationToken cancellationToken = default);

    /// <summary>The ids of all volumes on disk, sorted.</summary>
    public abstract Task<IReadOnlyList<string>> ListVidsAsync(CancellationToken cancellationToken = default);

    /// <summary>The parts before the last <c>/</c> of the ids of volumes that a run or an operation under way has left files of.</summary>
    internal abstract IReadOnlySet<string> ListDirectoriesInUse();

    /// <summary>This pool with one option changed. The state (locks) is shared.</summary>
    public Pool With(string option, string value)
    {
        PoolConfig changed = Environment.Drivers.Check(Config.With(option, value));
        return Reopen(changed);
    }

    private protected abstract Pool Reopen(PoolConfig config);

    private static int ParseRevisions(string? text)
    {
        if (text is null)
        {
            return DefaultRevisionsToKeep;
        }

        return int.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out int value)
            && value >= -1
            ? value
            : throw QubesErrors.Value("Invalid value for revisions_to_keep");
    }

    // The spellings of the store; upper and lower case differ.
    private static bool ParseBool(string? text) => text switch
    {
        "True" or "1" or "on" => true,
        null or "False" or "0" or "off" or "" => false,
        _ => throw QubesErrors.Value("Invalid value for ephemeral_volatile"),
    };
}
