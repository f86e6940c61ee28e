using System.Globalization;
using Qubes.Admin.Calls;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Admin.Handlers;

/// <summary>What is told of storage pools.</summary>
internal static class PoolHandlers
{
    public static void List(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        foreach (PoolConfig pool in call.App.Pools.All)
        {
            if (filters.Allows(pool.Name))
            {
                call.WriteLine(pool.Name);
            }
        }
    }

    // <driver> SP <parameter> SP <parameter>… LF
    public static void ListDrivers(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        foreach (PoolDriverInfo driver in call.Services.Storage.Drivers.All)
        {
            if (filters.Allows(driver.Name))
            {
                call.WriteLine(string.Join(' ', [driver.Name, .. driver.Parameters.Select(p => p.Name)]));
            }
        }
    }

    public static async ValueTask InfoAsync(AdminCall call)
    {
        PoolConfig config = FindPermitted(call);
        SortedDictionary<string, string> lines = new(StringComparer.Ordinal) { ["driver"] = config.Driver, ["name"] = config.Name };
        foreach ((string key, string value) in config.Options)
        {
            lines[key] = value;
        }

        // The pool is looked at off the loop; what is written is what was known before.
        PoolUsage? usage = call.Services.Storage.TryFind(config.Name, out Pool? pool) ? await pool.GetUsageAsync() : null;
        foreach ((string key, string value) in lines)
        {
            call.WriteLine($"{key}={value}");
        }

        if (usage is { } known)
        {
            call.WriteLine(string.Create(CultureInfo.InvariantCulture, $"size={known.Size}"));
            call.WriteLine(string.Create(CultureInfo.InvariantCulture, $"usage={known.Used}"));
        }
    }

    public static async ValueTask UsageDetailsAsync(AdminCall call)
    {
        PoolConfig config = FindPermitted(call);
        if (call.Services.Storage.TryFind(config.Name, out Pool? pool) && await pool.GetUsageAsync() is { } usage)
        {
            foreach ((string key, long value) in usage.Details.OrderBy(d => d.Key, StringComparer.Ordinal))
            {
                call.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{key}={value}"));
            }
        }
    }

    /// <summary>The ids of the volumes on disk.</summary>
    public static async ValueTask ListVolumesAsync(AdminCall call)
    {
        PoolConfig config = Find(call);
        AdminFilters filters = call.Permit();
        IReadOnlyList<string> vids = call.Services.Storage.TryFind(config.Name, out Pool? pool) ? await pool.ListVidsAsync() : [];
        foreach (string vid in vids.Where(filters.Allows))
        {
            call.WriteLine(vid);
        }
    }

    /// <summary>The pool a call is about.</summary>
    internal static PoolConfig Find(AdminCall call) =>
        call.App.Pools.TryGet(call.UntrustedArgument, out PoolConfig? found) ? found : throw QubesErrors.ArgumentNotIn("pools");

    private static PoolConfig FindPermitted(AdminCall call)
    {
        PoolConfig pool = Find(call);
        call.Permit(("pool", pool));
        return pool;
    }
}
