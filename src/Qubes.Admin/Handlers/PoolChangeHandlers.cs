using System.Globalization;
using System.Text;
using Qubes.Admin.Calls;
using Qubes.Linux;
using Qubes.Model.Changes;
using Qubes.Model.Events;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Names;
using Qubes.Protocol.Text;
using Qubes.Storage;

namespace Qubes.Admin.Handlers;

/// <summary>Adding, removing and setting storage pools. A pool's data is never touched by its removal.</summary>
internal static class PoolChangeHandlers
{
    private const string RevisionsToKeep = "revisions_to_keep";
    private const string EphemeralVolatile = "ephemeral_volatile";

    public static async ValueTask AddAsync(AdminCall call)
    {
        PoolDriverInfo driver = call.Services.Storage.Drivers.Find(call.UntrustedArgument) ?? throw QubesErrors.ArgumentNotIn("available drivers");
        PoolConfig config = ParseConfig(driver, call.UntrustedPayload);
        call.Permit(("name", config.Name), ("pool_config", config.Options));
        if (call.App.Pools.TryGet(config.Name, out _))
        {
            throw QubesErrors.PoolInUse(config.Name);
        }

        StorageService storage = call.Services.Storage;
        Pool pool = await storage.CreateAsync(config);
        await using Rollback rollback = new(call.Services.Logger);
        rollback.Push("pool", async () =>
        {
            _ = storage.Remove(pool.Name);
            await pool.CloseAsync();
        });
        using ModelChange change = call.BeginChange();
        call.App.Pools.Set(pool.Config);
        await call.App.FireAsync("pool-add", EventArguments.Of("pool", pool.Config));
        await call.CommitAsync(change);
        rollback.Commit();
    }

    public static async ValueTask RemoveAsync(AdminCall call)
    {
        PoolConfig pool = PoolHandlers.Find(call);
        call.Permit();
        call.App.Pools.RefuseIfUsed(pool);
        using ModelChange change = call.BeginChange();
        await call.App.FirePreAsync("pool-pre-delete", EventArguments.Of("pool", pool));
        call.App.Pools.Remove(pool);
        await call.App.FireAsync("pool-delete", EventArguments.Of("pool", pool));
        await call.CommitAsync(change);
        if (call.Services.Storage.TryFind(pool.Name, out Pool? open) && call.Services.Storage.Remove(pool.Name))
        {
            await open.CloseAsync();
        }
    }

    public static ValueTask SetRevisionsToKeepAsync(AdminCall call)
    {
        PoolConfig pool = PoolHandlers.Find(call);
        long value = PayloadNumber.Parse(call.UntrustedPayload, "Revisions to keep", allowNegative: true);
        if (value < -1)
        {
            throw QubesErrors.Protocol("Value can't be lower than -1");
        }

        call.Permit(("newvalue", value));
        return SetAsync(call, pool.Name, RevisionsToKeep, RevisionCount.Checked(value).ToString(CultureInfo.InvariantCulture));
    }

    public static ValueTask SetEphemeralVolatileAsync(AdminCall call)
    {
        PoolConfig pool = PoolHandlers.Find(call);
        bool value = PayloadText.ToBool(call.UntrustedPayload);
        call.Permit(("newvalue", value));
        return SetAsync(call, pool.Name, EphemeralVolatile, PythonText.Bool(value));
    }

    private static async ValueTask SetAsync(AdminCall call, string name, string option, string value)
    {
        StorageService storage = call.Services.Storage;
        PoolConfig current = call.App.Pools.TryGet(name, out PoolConfig? found) ? found : throw QubesErrors.ArgumentNotIn("pools");
        PoolDriverInfo driver = storage.Drivers.Find(current.Driver)
            ?? throw QubesErrors.StoragePool($"The driver {current.Driver} of pool {name} is not there");
        if (!driver.Parameters.Any(parameter => parameter.Name == option))
        {
            throw QubesErrors.Value($"Pools of driver {current.Driver} have no {option}");
        }

        // Opened for its checks only: what counts begins when it is durable.
        PoolConfig changed = storage.Drivers.Open(current.With(option, value), storage.Environment).Config;
        using ModelChange change = call.BeginChange();
        call.App.Pools.Set(changed);
        await call.CommitAsync(change);
        if (storage.TryFind(name, out _))
        {
            _ = storage.SetOption(name, option, value);
        }
    }

    // payload = line *( line end line ) [ line end ]; line = KEY '=' VALUE; one KEY is 'name', the others are the driver's options
    private static PoolConfig ParseConfig(PoolDriverInfo driver, byte[] untrustedPayload)
    {
        if (!Ascii.IsValid(untrustedPayload))
        {
            throw QubesErrors.Protocol("Pool parameters contains non-ASCII characters");
        }

        Dictionary<string, string> options = new(StringComparer.Ordinal);
        foreach (string line in PythonLines.Split(Encoding.ASCII.GetString(untrustedPayload)))
        {
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                throw QubesErrors.Protocol("Options must be separated by equal sign");
            }

            if (!options.TryAdd(line[..equals], line[(equals + 1)..]))
            {
                throw QubesErrors.Protocol("Options must be unique");
            }
        }

        if (!options.Remove("name", out string? untrustedName))
        {
            throw QubesErrors.Protocol("Pool configuration must contain key: name");
        }

        PoolName name = PoolName.Parse(untrustedName);
        return options.Keys.All(key => driver.Parameters.Any(parameter => parameter.Name == key))
            ? new PoolConfig { Name = name, Driver = driver.Name, Options = [.. options] }
            : throw QubesErrors.Protocol("Unexpected driver options found");
    }
}
