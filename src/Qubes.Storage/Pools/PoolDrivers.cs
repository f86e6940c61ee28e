using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Storage;

/// <summary>
/// The drivers there are, and how a pool's options are checked. Those of the daemon are always there, others come and go with the programs that
/// run them. Thread-safe.
/// </summary>
public sealed class PoolDrivers
{
    private readonly Lock _gate = new();

    // Replaced as a whole: readers take one look and see one state.
    private volatile PoolDriverInfo[] _all = [Qcow2Pool.Info, ReflinkPool.Info, KernelPool.Info];

    /// <summary>Sorted by name, the order of <c>admin.pool.ListDrivers</c>.</summary>
    public IReadOnlyList<PoolDriverInfo> All => _all;

    public PoolDriverInfo? Find(string name) => Array.Find(_all, driver => driver.Name == name);

    /// <summary>Opens a pool from the options of the store. Touches no disk.</summary>
    /// <exception cref="QubesException">Unknown driver, or options it does not take.</exception>
    public Pool Open(PoolConfig config, StorageEnvironment environment)
    {
        PoolConfig checkedConfig = Check(config);
        return FindOrThrow(config.Driver).Open(checkedConfig, environment);
    }

    /// <summary>Checks the options, fills in defaults and puts them into the order of the store.</summary>
    public PoolConfig Check(PoolConfig config)
    {
        _ = PoolName.Parse(config.Name);
        return Check(FindOrThrow(config.Driver), config);
    }

    /// <summary>The better of the two file drivers for the file system of a directory, which is made if missing.</summary>
    public static Task<string> ChooseForAsync(string directory, CancellationToken cancellationToken = default) => Task.Run(
        () =>
        {
            Directory.CreateDirectory(directory);
            using RootedDirectory root = RootedDirectory.Open(directory);
            return ReflinkProbe.Works(root) ? ReflinkPool.Info.Name : Qcow2Pool.Info.Name;
        },
        cancellationToken);

    /// <exception cref="ArgumentException">There is one of that name.</exception>
    internal void Add(PoolDriverInfo driver)
    {
        lock (_gate)
        {
            if (Find(driver.Name) is not null)
            {
                throw new ArgumentException($"there is a storage driver '{driver.Name}' already", nameof(driver));
            }

            _all = [.. _all.Append(driver).OrderBy(d => d.Name, StringComparer.Ordinal)];
        }
    }

    internal void Remove(string name)
    {
        lock (_gate)
        {
            _all = Array.FindAll(_all, driver => driver.Name != name);
        }
    }

    internal static PoolConfig Check(PoolDriverInfo driver, PoolConfig config)
    {
        foreach (KeyValuePair<string, string> option in config.Options)
        {
            if (!driver.Parameters.Any(parameter => parameter.Name == option.Key))
            {
                throw QubesErrors.Protocol("unexpected driver options");
            }
        }

        IReadOnlyList<PoolParameter> missing =
            [.. driver.Parameters.Where(parameter => parameter.IsMandatory && string.IsNullOrEmpty(config[parameter.Name]))];
        if (missing.Count > 0)
        {
            throw QubesErrors.General($"missing required driver options: {string.Join(", ", missing.Select(parameter => parameter.Name))}");
        }

        return config with { Options = Ordered(driver, config) };
    }

    // The order of attributes in the store: dir_path, then the pool-wide settings.
    private static List<KeyValuePair<string, string>> Ordered(PoolDriverInfo driver, PoolConfig config)
    {
        List<KeyValuePair<string, string>> ordered = [];
        foreach (PoolParameter parameter in driver.Parameters.OrderByDescending(parameter => parameter.IsMandatory))
        {
            if (config[parameter.Name] is { } value)
            {
                ordered.Add(new(parameter.Name, value));
            }
            else if (parameter.Name == "revisions_to_keep")
            {
                ordered.Add(new(parameter.Name, Pool.DefaultRevisionsToKeep.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            }
            else if (parameter.Name == "ephemeral_volatile")
            {
                ordered.Add(new(parameter.Name, "False"));
            }
        }

        return ordered;
    }

    private PoolDriverInfo FindOrThrow(string name) => Find(name) ?? throw QubesErrors.General($"Pool driver '{name}' not found");
}
