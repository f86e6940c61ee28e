using Qubes.Model.Classes;
using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Model;

/// <summary>The global properties.</summary>
public static class QubesAppProperties
{
    private static readonly ReferenceType<LocalQube> AnyLocalQube = new("LocalVM", allowNone: true);
    private static readonly ReferenceType<Qube> AnyQube = new("BaseVM", allowNone: true);

    public static readonly PropertyDefinition<QubesApp, bool> CheckUpdatesVM = new("check_updates_vm", BoolType.Instance)
    {
        Stage = PropertyStage.Application,
        Default = PropertyDefault.Constant(value: true),
        Help = "New qubes check for updates.",
    };

    public static readonly PropertyDefinition<QubesApp, LocalQube?> ClockVM = Reference(
        "clockvm", AnyLocalQube, PropertyDefault.Constant<LocalQube?>(null), "Qube from which the others take the time.");

    public static readonly PropertyDefinition<QubesApp, LocalQube?> DefaultAudioVM = Reference(
        "default_audiovm", AnyLocalQube, Dom0, "Default qube that plays sound.");

    public static readonly PropertyDefinition<QubesApp, LocalQube?> DefaultGuiVM = Reference(
        "default_guivm", AnyLocalQube, Dom0, "Default qube that shows windows.");

    public static readonly PropertyDefinition<QubesApp, Qube?> DefaultDispVM = new("default_dispvm", AnyQube)
    {
        Stage = PropertyStage.Application,
        Default = PropertyDefault.Constant<Qube?>(null),
        Setter = static (app, value) => PropertyRules.DisposableTemplate(app, "default_dispvm", value),
        Help = "Default template of disposables.",
    };

    public static readonly PropertyDefinition<QubesApp, string?> DefaultKernel = new("default_kernel", TextType.Instance)
    {
        Stage = PropertyStage.Application,
        Help = "Default kernel of qubes that boot a kernel of the host.",
    };

    public static readonly PropertyDefinition<QubesApp, QubesVM?> DefaultNetVM =
        new("default_netvm", new ReferenceType<QubesVM>("QubesVM", allowNone: true))
        {
            Stage = PropertyStage.Application,
            Default = PropertyDefault.Constant<QubesVM?>(null),
            Setter = CheckDefaultNetVM,
            Help = "Default qube that provides network.",
        };

    public static readonly PropertyDefinition<QubesApp, string?> DefaultPool = new("default_pool", TextType.Instance)
    {
        Stage = PropertyStage.Application,
        Default = static (QubesApp app, out string? value) => TryDefaultPool(app, out value),
        Setter = ExistingPool,
        Help = "Default storage pool.",
    };

    public static readonly PropertyDefinition<QubesApp, string?> DefaultPoolKernel =
        VolumePool("default_pool_kernel", "Default storage pool of kernel volumes.");

    public static readonly PropertyDefinition<QubesApp, string?> DefaultPoolPrivate =
        VolumePool("default_pool_private", "Default storage pool of private volumes.");

    public static readonly PropertyDefinition<QubesApp, string?> DefaultPoolRoot =
        VolumePool("default_pool_root", "Default storage pool of root volumes.");

    public static readonly PropertyDefinition<QubesApp, string?> DefaultPoolVolatile =
        VolumePool("default_pool_volatile", "Default storage pool of volatile volumes.");

    public static readonly PropertyDefinition<QubesApp, int> DefaultQrexecTimeout = Number(
        "default_qrexec_timeout", 60, "Default of qrexec_timeout, in seconds.");

    public static readonly PropertyDefinition<QubesApp, int> DefaultShutdownTimeout = Number(
        "default_shutdown_timeout", 60, "Default of shutdown_timeout, in seconds.");

    public static readonly PropertyDefinition<QubesApp, TemplateVM?> DefaultTemplate =
        new("default_template", new ReferenceType<TemplateVM>("TemplateVM", allowNone: true))
        {
            Stage = PropertyStage.Application,
            Help = "Default template of new qubes.",
        };

    public static readonly PropertyDefinition<QubesApp, Qube?> ManagementDispVM = new("management_dispvm", AnyQube)
    {
        Stage = PropertyStage.Application,
        Default = PropertyDefault.Constant<Qube?>(null),
        Setter = static (app, value) => PropertyRules.DisposableTemplate(app, "management_dispvm", value),
        Help = "Default template of the disposables from which qubes are managed.",
    };

    public static readonly PropertyDefinition<QubesApp, int> MaxMem = new("maxmem", IntType.Instance)
    {
        Stage = PropertyStage.Application,
        Computed = true,
        Default = PropertyDefault.Of<QubesApp, int>(static app => app.Host.MemoryMiB),
        Help = "Memory of the host, in MiB.",
    };

    public static readonly PropertyDefinition<QubesApp, int> NoCpus = new("no_cpus", IntType.Instance)
    {
        Stage = PropertyStage.Application,
        Computed = true,
        Default = PropertyDefault.Of<QubesApp, int>(static app => app.Host.CpuCount),
        Help = "Number of CPUs of the host.",
    };

    public static readonly PropertyDefinition<QubesApp, int> StatsInterval = Number(
        "stats_interval", 3, "Seconds between reports of memory and CPU use.");

    public static readonly PropertyDefinition<QubesApp, LocalQube?> UpdateVM = Reference(
        "updatevm", AnyLocalQube, PropertyDefault.Constant<LocalQube?>(null), "Qube through which dom0 gets its updates.");

    /// <summary>All global properties in list order.</summary>
    public static PropertyTable Table { get; } = new(
        CheckUpdatesVM, ClockVM, DefaultAudioVM, DefaultDispVM, DefaultGuiVM, DefaultKernel, DefaultNetVM, DefaultPool, DefaultPoolKernel,
        DefaultPoolPrivate, DefaultPoolRoot, DefaultPoolVolatile, DefaultQrexecTimeout, DefaultShutdownTimeout, DefaultTemplate,
        ManagementDispVM, MaxMem, NoCpus, StatsInterval, UpdateVM);

    /// <summary>The properties that name default pools.</summary>
    public static IReadOnlyList<PropertyDefinition<QubesApp, string?>> DefaultPools { get; } =
        [DefaultPool, DefaultPoolKernel, DefaultPoolPrivate, DefaultPoolRoot, DefaultPoolVolatile];

    /// <summary>The default pool of a volume of this name: <c>default_pool_NAME</c>, for other volumes <c>default_pool</c>.</summary>
    public static string? PoolFor(QubesApp app, string volume) => volume switch
    {
        "kernel" => DefaultPoolKernel.Get(app),
        "private" => DefaultPoolPrivate.Get(app),
        "root" => DefaultPoolRoot.Get(app),
        "volatile" => DefaultPoolVolatile.Get(app),
        _ => DefaultPool.Get(app),
    };

    private static bool Dom0(QubesApp app, out LocalQube? value)
    {
        value = app.Domains.AdminVM;
        return true;
    }

    private static PropertyDefinition<QubesApp, LocalQube?> Reference(
        string name, ReferenceType<LocalQube> type, DefaultFunction<QubesApp, LocalQube?> defaultValue, string help) => new(name, type)
        {
            Stage = PropertyStage.Application,
            Default = defaultValue,
            Help = help,
        };

    private static PropertyDefinition<QubesApp, int> Number(string name, int defaultValue, string help) => new(name, IntType.Instance)
    {
        Stage = PropertyStage.Application,
        Default = PropertyDefault.Constant(defaultValue),
        Help = help,
    };

    private static PropertyDefinition<QubesApp, string?> VolumePool(string name, string help) => new(name, TextType.Instance)
    {
        Stage = PropertyStage.Application,
        Default = static (QubesApp app, out string? value) => DefaultPool.TryGet(app, out value),
        Setter = ExistingPool,
        Help = help,
    };

    private static string? ExistingPool(QubesApp app, string? value) => value is not null && app.Pools.TryGet(value, out _)
        ? value
        : throw QubesErrors.PropertyValue("No such storage pool");

    // A pool called "default"; the thin pool the environment asks for; the one below the root file system; a file pool
    // on the base directory.
    private static bool TryDefaultPool(QubesApp app, out string? value)
    {
        IReadOnlyList<Volumes.PoolConfig> pools = app.Pools.All;
        Volumes.PoolConfig? pool = pools.FirstOrDefault(p => p.Name == "default")
            ?? (app.Host.PreferredThinPool is { } preferred
                ? pools.FirstOrDefault(p => p.Driver == "lvm_thin" && p["thin_pool"] == preferred)
                : null)
            ?? (app.Host.RootThinPool is { } root
                ? pools.FirstOrDefault(p => p.Driver == "lvm_thin" && $"{p["volume_group"]}/{p["thin_pool"]}" == root)
                : null)
            ?? pools.FirstOrDefault(p => p.Driver is "file" or "file-reflink" or "file-qcow2"
                && p["dir_path"]?.TrimEnd('/') == app.Host.BaseDirectory.TrimEnd('/'));
        value = pool?.Name;
        return pool is not null;
    }

    private static QubesVM? CheckDefaultNetVM(QubesApp app, QubesVM? value)
    {
        if (value is null || !app.EventsEnabled)
        {
            return value;
        }

        foreach (QubesVM qube in app.Domains.OfType<QubesVM>())
        {
            // A template's default is none whatever is chosen here.
            if (!Network.NetworkProperties.NetVM.IsExplicit(qube) && qube is not TemplateVM
                && (value == qube || value.IsConnectedThrough(qube)))
            {
                throw QubesErrors.PropertyValue($"Network loop on {PythonText.Repr(qube.Name)}");
            }
        }

        return value;
    }
}
