using Qubes.Linux;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;

namespace Qubes.Storage;

/// <summary>The drivers there are, and how a pool's options are checked.</summary>
public static class PoolDrivers
{
    /// <summary>Sorted by name, the order of <c>admin.pool.ListDrivers</c>.</summary>
    public static IReadOnlyList<PoolDriverInfo> All { get; } = [Qcow2Pool.Info, ReflinkPool.Info, KernelPool.Info];

    public static PoolDriverInfo? Find(string name) => All.FirstOrDefault(driver => driver.Name == name);

    /// <summary>Opens a pool from the options of the store. Touches no disk.</summary>
    /// <exception cref="QubesException">Unknown driver, or options it does not take.</exception>
    public static Pool Open(PoolConfig config, StorageEnvironment environment)
    {
        PoolConfig checkedConfig = Check(config);
        return Find(config.Driver)!.Open(checkedConfig, environment);
    }

    /// <summary>Checks the options, fills in defaults and puts them into the order of the store.</summary>
    public static PoolConfig Check(PoolConfig config)
    {
        _ = PoolName.Parse(config.Name);
        PoolDriverInfo driver = Find(config.Driver) ?? throw QubesErrors.General($"Pool driver '{config.Driver}' not found");
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

    /// <summary>The better of the two file drivers for the file system of a directory, which is made if missing.</summary>
    public static Task<string> ChooseForAsync(string directory, CancellationToken cancellationToken = default) => Task.Run(
        () =>
        {
            Directory.CreateDirectory(directory);
            using RootedDirectory root = RootedDirectory.Open(directory);
            return ReflinkProbe.Works(root) ? ReflinkPool.Info.Name : Qcow2Pool.Info.Name;
        },
        cancellationToken);

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
}
