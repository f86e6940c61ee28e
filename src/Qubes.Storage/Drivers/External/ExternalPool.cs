using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>
/// A pool of a driver that is not part of the daemon, and may not be there. Without it the pool is known with all its options and its volumes can
/// be named; only what needs the driver fails.
/// </summary>
internal sealed class ExternalPool : Pool
{
    private readonly IExternalDriver? _driver;

    private ExternalPool(PoolConfig config, PoolDriverInfo driver, StorageEnvironment environment, PoolState? state)
        : base(config, driver, environment, state ?? new PoolState()) => _driver = driver.External;

    /// <summary>What asks the driver.</summary>
    /// <exception cref="QubesException">There is none.</exception>
    internal IExternalDriver Service => _driver ?? throw DriverGoneException.For($"The driver {Driver.Name} of pool {Name} is not there", wasAsked: false);

    /// <summary>What is known of a driver whoever runs it.</summary>
    public static PoolDriverInfo Describe(
        string name, string description, IReadOnlyList<PoolParameter> parameters, PoolCapabilities capabilities, IExternalDriver driver) =>
        new(name, description, parameters, capabilities,
            static (config, environment) => new ExternalPool(config, environment.Drivers.Find(config.Driver)!, environment, state: null))
        {
            External = driver,
        };

    /// <summary>A pool of the store whose driver is not there.</summary>
    public static ExternalPool WithoutDriver(PoolConfig config, StorageEnvironment environment, PoolState? state = null)
    {
        _ = Protocol.Names.PoolName.Parse(config.Name);
        return new ExternalPool(config, Absent(config), environment, state);
    }

    /// <summary>The same pool, its driver having come or gone.</summary>
    /// <exception cref="QubesException">The pool has options the driver does not take.</exception>
    public ExternalPool Reopen(PoolDriverInfo? driver) => driver is null
        ? WithoutDriver(Config, Environment, State)
        : new ExternalPool(PoolDrivers.Check(driver, Config), driver, Environment, State);

    public override string NewVid(string qubeDirectory, string volumeName) => VolumeNames.CheckedFileVid($"{qubeDirectory}/{volumeName}");

    public override Volume Open(VolumeConfig config) => new ExternalVolume(this, config);

    public override Task SetupAsync(CancellationToken cancellationToken = default) => Service.SetupAsync(this);

    /// <summary>At the daemon's start there is no driver yet; when it comes it does this first.</summary>
    public override async Task<int> RecoverAsync(CancellationToken cancellationToken = default)
    {
        await (_driver?.OpenAsync(this) ?? Task.CompletedTask);
        return 0;
    }

    public override async Task<PoolUsage?> GetUsageAsync(CancellationToken cancellationToken = default)
    {
        if (_driver is null)
        {
            return null;
        }

        try
        {
            return await _driver.GetUsageAsync(this);
        }
        catch (QubesException e)
        {
            // The pool's settings are to be seen nevertheless.
            Environment.Log.LogWarning("The space of pool {Pool} is not known: {Reason}", Name, LogText.Escape(e.Message));
            return null;
        }
    }

    public override Task<IReadOnlyList<string>> ListVidsAsync(CancellationToken cancellationToken = default) => Service.ListVidsAsync(this);

    public override async Task CloseAsync()
    {
        try
        {
            await (_driver?.CloseAsync(this) ?? Task.CompletedTask);
        }
        catch (QubesException e)
        {
            Environment.Log.LogWarning("The driver could not be told that pool {Pool} is removed: {Reason}", Name, LogText.Escape(e.Message));
        }
    }

    /// <summary>The driver tells itself, when it opens the pool.</summary>
    internal override IReadOnlySet<string> ListDirectoriesInUse() => new HashSet<string>();

    private protected override Pool Reopen(PoolConfig config) => new ExternalPool(config, Driver, Environment, State);

    // It takes whatever options the pool has: nobody is there who could say anything against them.
    private static PoolDriverInfo Absent(PoolConfig config) => new(
        config.Driver, "not there", [.. config.Options.Select(option => new PoolParameter(option.Key))], PoolCapabilities.None,
        static (_, _) => throw new UnreachableException("Nobody makes a new pool of a driver that is not there."));
}
