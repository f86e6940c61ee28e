using System.Globalization;
using Qubes.Admin.Calls;
using Qubes.Admin.Handlers;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Admin.Planning;

/// <summary>The steps about settings of pools and volumes: those that can be set by a call, and of which no data depends.</summary>
internal static class StorageChanges
{
    private const string RevisionsToKeep = "revisions_to_keep";
    private const string Rw = "rw";
    private const string Ephemeral = "ephemeral";
    private const string EphemeralVolatile = "ephemeral_volatile";

    public static bool IsPoolSetting(string option) => option is RevisionsToKeep or EphemeralVolatile;

    public static bool IsVolumeSetting(string field) => field is RevisionsToKeep or Rw or Ephemeral;

    public static SingleCall CallOf(ChangeStep step) => step is PoolSettingStep pool
        ? new SingleCall("admin.pool.Set." + pool.Option, pool.Pool)
        : new SingleCall("admin.vm.volume.Set." + ((VolumeSettingStep)step).Field, ((VolumeSettingStep)step).Volume);

    /// <summary>The keyword of the permission event; null where the volume returns to what its pool does.</summary>
    public static (string Key, object? Value)[] Extras(ChangeStep step)
    {
        (string name, string? value) = step is PoolSettingStep pool ? (pool.Option, pool.Value) : (((VolumeSettingStep)step).Field, ((VolumeSettingStep)step).Value);
        return [("newvalue", value is null ? null : name == RevisionsToKeep ? (object)long.Parse(value, CultureInfo.InvariantCulture) : value == "True")];
    }

    /// <summary>What only the storage and the lifecycle layer can say, as the single calls ask them.</summary>
    /// <exception cref="QubesException">It cannot be set now.</exception>
    public static void Check(AdminCall call, ChangeStep step)
    {
        switch (step)
        {
            case PoolSettingStep pool:
                _ = call.Services.Storage.Drivers.Open(Edit(Find(call.App, pool), pool), call.Services.Storage.Environment);
                break;
            case VolumeSettingStep setting:
                _ = Find(call.App, setting, out QubesVM qube);
                VolumeConfig volume = call.Services.Lifecycle.StorageOf(qube)[setting.Volume].Config;
                VolumeChangeHandlers.Check(call, qube, volume, Edit(volume, setting));
                break;
        }
    }

    public static string Describe(QubesApp app, ChangeStep step) => (step is PoolSettingStep pool
        ? Find(app, pool)[pool.Option]
        : TextOf(Find(app, (VolumeSettingStep)step, out _), ((VolumeSettingStep)step).Field)) ?? "default";

    public static bool IsDone(QubesApp app, ChangeStep step) =>
        Describe(app, step) == (step is PoolSettingStep pool ? pool.Value : ((VolumeSettingStep)step).Value ?? "default");

    public static void Run(QubesApp app, ChangeStep step)
    {
        if (step is PoolSettingStep pool)
        {
            app.Pools.Set(Edit(Find(app, pool), pool));
        }
        else
        {
            VolumeSettingStep setting = (VolumeSettingStep)step;
            VolumeConfig volume = Find(app, setting, out QubesVM qube);
            qube.Volumes.Set(Edit(volume, setting));
        }
    }

    /// <summary>It is durable: operations of the pool that begin now go by it.</summary>
    public static void Finish(StorageService storage, ChangeStep step)
    {
        if (step is PoolSettingStep pool && storage.TryFind(pool.Pool, out _))
        {
            _ = storage.SetOption(pool.Pool, pool.Option, pool.Value);
        }
    }

    /// <summary>The text the store's history has for a field of a volume.</summary>
    public static string? TextOf(VolumeConfig volume, string field) => field switch
    {
        RevisionsToKeep => volume.RevisionsToKeep?.ToString(CultureInfo.InvariantCulture),
        Rw => Protocol.Text.PythonText.Bool(volume.Rw),
        _ => volume.Ephemeral is { } ephemeral ? Protocol.Text.PythonText.Bool(ephemeral) : null,
    };

    private static PoolConfig Edit(PoolConfig pool, PoolSettingStep step) => pool.With(step.Option, step.Value);

    private static VolumeConfig Edit(VolumeConfig volume, VolumeSettingStep step) => step.Field switch
    {
        RevisionsToKeep => volume with { RevisionsToKeep = step.Value is null ? null : int.Parse(step.Value, CultureInfo.InvariantCulture) },
        Rw => volume with { Rw = step.Value == "True" },
        _ => volume with { Ephemeral = step.Value is null ? null : step.Value == "True" },
    };

    private static PoolConfig Find(QubesApp app, PoolSettingStep step) =>
        app.Pools.TryGet(step.Pool, out PoolConfig? pool) ? pool : throw QubesErrors.General($"Unknown storage pool {step.Pool}");

    private static VolumeConfig Find(QubesApp app, VolumeSettingStep step, out QubesVM qube)
    {
        qube = app.Domains.Find(step.UntrustedQube) as QubesVM ?? throw QubesErrors.VM($"{step.UntrustedQube} has no volumes");
        return VolumeHandlers.Current(qube, step.Volume);
    }
}
