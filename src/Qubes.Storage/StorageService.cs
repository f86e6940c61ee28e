using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>The open pools of a system. The model says which pools there are; this makes them work. Thread-safe.</summary>
public sealed class StorageService(StorageEnvironment environment)
{
    // Replaced as a whole: readers take one look and see one state.
    private ImmutableDictionary<string, Pool> _pools = ImmutableDictionary.Create<string, Pool>(StringComparer.Ordinal);

    public StorageEnvironment Environment { get; } = environment;

    public IEnumerable<Pool> Pools => _pools.Values;

    public PoolDrivers Drivers => Environment.Drivers;

    /// <summary>
    /// A driver that is not part of the daemon has opened a pool (its name), in which the volumes of these ids were started and not stopped.
    /// </summary>
    public Action<string, IReadOnlyList<string>>? ExternalPoolOpened { get; set; }

    /// <summary>Opens a pool the store has; one whose driver is not there waits for it. Touches no disk.</summary>
    /// <exception cref="QubesException">Bad options, or a name in use.</exception>
    public Pool Add(PoolConfig config)
    {
        Pool pool;
        if (Drivers.Find(config.Driver) is not null)
        {
            pool = Drivers.Open(config, Environment);
        }
        else
        {
            pool = ExternalPool.WithoutDriver(config, Environment);
            Environment.Log.LogWarning("Storage pool {Pool} waits for its driver, {Driver}", pool.Name, LogText.Escape(config.Driver));
        }

        return ImmutableInterlocked.TryAdd(ref _pools, pool.Name, pool) ? pool : throw QubesErrors.PoolInUse(pool.Name);
    }

    /// <summary>Makes and prepares a new pool: on failure nothing is registered.</summary>
    public async Task<Pool> CreateAsync(PoolConfig config, CancellationToken cancellationToken = default)
    {
        if (_pools.ContainsKey(config.Name))
        {
            throw QubesErrors.PoolInUse(config.Name);
        }

        Pool pool = Drivers.Open(config, Environment);
        await pool.SetupAsync(cancellationToken);
        await pool.RecoverAsync(cancellationToken);
        if (pool is ExternalPool)
        {
            // Its driver may have gone meanwhile, or come again with other parameters.
            pool = Drivers.Open(config, Environment);
        }

        return ImmutableInterlocked.TryAdd(ref _pools, pool.Name, pool) ? pool : throw QubesErrors.PoolInUse(pool.Name);
    }

    /// <summary>Forgets a pool; its data stays.</summary>
    public bool Remove(string name) => ImmutableInterlocked.TryRemove(ref _pools, name, out _);

    /// <summary>Makes a driver known that is not part of the daemon. Pools that wait for it can be used.</summary>
    /// <exception cref="ArgumentException">There is a driver of that name.</exception>
    public void AddDriver(
        string name, string description, IReadOnlyList<PoolParameter> parameters, PoolCapabilities capabilities, IExternalDriver driver)
    {
        Drivers.Add(ExternalPool.Describe(name, description, parameters, capabilities, driver));
        Reopen(name);
    }

    /// <summary>The driver is gone, and with it all its pools can do.</summary>
    public void RemoveDriver(string name)
    {
        Drivers.Remove(name);
        Reopen(name);
    }

    /// <summary>Sets one option of a pool for operations that begin from now on.</summary>
    public Pool SetOption(string name, string option, string value)
    {
        Pool changed = Find(name).With(option, value);
        _ = ImmutableInterlocked.AddOrUpdate(ref _pools, name, changed, (_, _) => changed);
        return changed;
    }

    public bool TryFind(string name, [NotNullWhen(true)] out Pool? pool) => _pools.TryGetValue(name, out pool);

    /// <exception cref="QubesException">Unknown storage pool.</exception>
    public Pool Find(string name) => TryFind(name, out Pool? pool) ? pool : throw QubesErrors.General($"Unknown storage pool {name}");

    /// <summary>A handle on the volume with this (completed) configuration.</summary>
    public Volume Open(VolumeConfig config) =>
        Find(config.Pool ?? throw QubesErrors.StoragePool($"Volume {config.Name} has no pool")).Open(config);

    /// <summary>The operations on all volumes of a qube together.</summary>
    /// <param name="configs">Completed configurations in the qube's order.</param>
    public QubeStorage ForQube(IReadOnlyList<VolumeConfig> configs) => new(this, [.. configs.Select(Open)]);

    /// <summary>
    /// The configurations of the pools of a new system: <c>varlibqubes</c> with the best driver for its file system,
    /// and <c>linux-kernel</c>.
    /// </summary>
    public async Task<IReadOnlyList<PoolConfig>> InitialPoolsAsync(CancellationToken cancellationToken = default)
    {
        string directory = Environment.Paths.StateDirectory;
        string driver = await PoolDrivers.ChooseForAsync(directory, cancellationToken);
        return
        [
            Drivers.Check(new PoolConfig { Name = "varlibqubes", Driver = driver, Options = [new("dir_path", directory)] }),
            Drivers.Check(new PoolConfig
            {
                Name = "linux-kernel", Driver = "linux-kernel", Options = [new("dir_path", Environment.Paths.KernelsDirectory)],
            }),
        ];
    }

    /// <summary>For the start of the daemon: which qubes may have volumes to stop.</summary>
    public Task<LeftoverSurvey> SurveyLeftoversAsync() => Task.Run(() => new LeftoverSurvey(Pools, new RunningMarkers(Environment.Paths)));

    /// <summary>The same for one pool, when its driver has come and told which volumes are started.</summary>
    public Task<LeftoverSurvey> SurveyLeftoversAsync(string pool, IReadOnlyList<string> startedVids) =>
        Task.Run(() => new LeftoverSurvey(pool, startedVids, new RunningMarkers(Environment.Paths)));

    /// <summary>Finishes or takes back what a crash has interrupted, in all pools. A pool that fails is reported and left alone.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken = default)
    {
        foreach (Pool pool in _pools.Values)
        {
            try
            {
                int found = await pool.RecoverAsync(cancellationToken);
                if (found > 0)
                {
                    Environment.Log.LogWarning("Pool {Pool}: {Count} interrupted operations were finished or undone", pool.Name, found);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Environment.Log.LogError(e, "Pool {Pool} could not be recovered", pool.Name);
            }
        }
    }

    private void Reopen(string driver)
    {
        foreach (ExternalPool pool in Pools.OfType<ExternalPool>().Where(pool => pool.Driver.Name == driver))
        {
            ExternalPool opened;
            try
            {
                opened = pool.Reopen(Drivers.Find(driver));
            }
            catch (QubesException e)
            {
                Environment.Log.LogError("Storage pool {Pool} is nothing for its driver: {Reason}", pool.Name, LogText.Escape(e.Message));
                opened = pool.Reopen(driver: null);
            }

            _ = ImmutableInterlocked.TryUpdate(ref _pools, pool.Name, opened, pool);
        }
    }
}
