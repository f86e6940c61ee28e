using Qubes.Model.Properties;
using Qubes.Model.Properties.Types;

namespace Qubes.Model.Classes;

/// <summary>The general properties of qubes that run.</summary>
public static class QubesVMProperties
{
    private static readonly ReferenceType<LocalQube> AnyLocalQube = new("LocalVM", allowNone: true);
    private static readonly ReferenceType<Qube> AnyQube = new("BaseVM", allowNone: true);

    public static readonly PropertyDefinition<QubesVM, bool> AutoStart = new("autostart", BoolType.Instance)
    {
        Default = PropertyDefault.Constant(value: false),
        Help = "Start the qube when the host starts.",
    };

    public static readonly PropertyDefinition<QubesVM, long?> BackupTimestamp = new("backup_timestamp", OptionalIntType.Instance)
    {
        Default = PropertyDefault.Constant<long?>(null),
        Help = "Time of the last backup of the qube, in seconds since the epoch.",
    };

    public static readonly PropertyDefinition<QubesVM, bool> Debug = new("debug", BoolType.Instance)
    {
        Default = PropertyDefault.Constant(value: false),
        Help = "Turns on debugging features: verbose boot, logs, emulator tracing.",
    };

    public static readonly PropertyDefinition<QubesVM, string?> DefaultUser = new("default_user", TextType.Instance)
    {
        Default = Inherit(static () => DefaultUser!, PropertyDefault.Constant<string?>("user")),
        Setter = static (_, value) => PropertyRules.DefaultUser(value),
        Help = "User as whom commands in the qube run by default.",
    };

    public static readonly PropertyDefinition<QubesVM, Qube?> DefaultDispVM = new("default_dispvm", AnyQube)
    {
        Stage = PropertyStage.References,
        Default = PropertyDefault.Of<QubesVM, Qube?>(static qube => qube.DefaultDispVMDefault),
        Setter = static (qube, value) => PropertyRules.DisposableTemplate(qube, "default_dispvm", value),
        Help = AdminVMProperties.DefaultDispVM.Help,
    };

    public static readonly PropertyDefinition<QubesVM, LocalQube?> GuiVM = new("guivm", AnyLocalQube)
    {
        Stage = PropertyStage.References,
        Default = PropertyDefault.Of<QubesVM, LocalQube?>(static qube => QubesAppProperties.DefaultGuiVM.Get(qube.App)),
        Help = "Qube that shows the windows of this one.",
    };

    public static readonly PropertyDefinition<QubesVM, LocalQube?> AudioVM = new("audiovm", AnyLocalQube)
    {
        Stage = PropertyStage.References,
        Default = PropertyDefault.Of<QubesVM, LocalQube?>(static qube => QubesAppProperties.DefaultAudioVM.Get(qube.App)),
        Help = "Qube that plays the sound of this one.",
    };

    public static readonly PropertyDefinition<QubesVM, Qube?> ManagementDispVM = new("management_dispvm", AnyQube)
    {
        Stage = PropertyStage.References,
        Default = Inherit(
            static () => ManagementDispVM!,
            PropertyDefault.Of<QubesVM, Qube?>(static qube => QubesAppProperties.ManagementDispVM.Get(qube.App))),
        Setter = static (qube, value) => PropertyRules.DisposableTemplate(qube, "management_dispvm", value),
        Help = "Template of the disposables from which this qube is managed.",
    };

    public static readonly PropertyDefinition<QubesVM, bool> InstalledByRpm = new("installed_by_rpm", BoolType.Instance)
    {
        Default = PropertyDefault.Constant(value: false),
        Help = "The qube belongs to the package manager and is removed by it only.",
    };

    public static readonly PropertyDefinition<QubesVM, string?> KeyboardLayout = new("keyboard_layout", TextType.Instance)
    {
        Default = PropertyDefault.Of<QubesVM, string?>(DefaultKeyboardLayout),
        Setter = static (_, value) => PropertyRules.KeyboardLayout(value),
        Help = AdminVMProperties.KeyboardLayout.Help,
    };

    public static readonly PropertyDefinition<QubesVM, int> QrexecTimeout = new("qrexec_timeout", IntType.Instance)
    {
        Default = Inherit(
            static () => QrexecTimeout!,
            PropertyDefault.Of<QubesVM, int>(static qube => QubesAppProperties.DefaultQrexecTimeout.Get(qube.App))),
        Setter = static (_, value) => PropertyRules.Positive("qrexec_timeout", value),
        Help = "Seconds to wait for the qube's agent when the qube starts.",
    };

    public static readonly PropertyDefinition<QubesVM, int> ShutdownTimeout = new("shutdown_timeout", IntType.Instance)
    {
        Default = Inherit(
            static () => ShutdownTimeout!,
            PropertyDefault.Of<QubesVM, int>(static qube => QubesAppProperties.DefaultShutdownTimeout.Get(qube.App))),
        Setter = static (_, value) => PropertyRules.Positive("shutdown_timeout", value),
        Help = "Seconds to wait for the qube to shut down before it is killed.",
    };

    public static readonly PropertyDefinition<QubesVM, bool> Updateable = new("updateable", BoolType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Of<QubesVM, bool>(static qube => qube.IsUpdateable),
        Help = AdminVMProperties.Updateable.Help,
    };

    public static readonly PropertyDefinition<QubesVM, int> Xid = new("xid", IntType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Of<QubesVM, int>(static qube => qube.IsRunning ? qube.Runtime.Xid : -1),
        Help = "The hypervisor's number for the running qube, or -1.",
    };

    public static readonly PropertyDefinition<QubesVM, double?> StartTime = new("start_time", FloatType.Instance)
    {
        Computed = true,
        Default = static (QubesVM qube, out double? value) =>
        {
            value = qube.IsRunning ? qube.Runtime.StartTime : null;
            return !qube.IsRunning || value is not null;
        },
        Help = "Time of start in seconds since the epoch.",
    };

    public static readonly PropertyDefinition<QubesVM, int> StubdomXid = new("stubdom_xid", IntType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Of<QubesVM, int>(static qube => qube.IsRunning ? qube.Runtime.StubdomXid : -1),
        Help = "The number of the domain that emulates devices for the qube, or -1.",
    };

    public static readonly PropertyDefinition<QubesVM, string?> StubdomUuid = new("stubdom_uuid", TextType.Instance)
    {
        Computed = true,
        Default = PropertyDefault.Of<QubesVM, string?>(static qube => qube.IsRunning ? qube.Runtime.StubdomUuid : ""),
        Help = "The UUID of the domain that emulates devices for the qube, or empty.",
    };

    internal static IEnumerable<PropertyDefinition> All =>
    [
        AutoStart, BackupTimestamp, Debug, DefaultUser, DefaultDispVM, GuiVM, AudioVM, ManagementDispVM, InstalledByRpm, KeyboardLayout,
        QrexecTimeout, ShutdownTimeout, Updateable, Xid, StartTime, StubdomXid, StubdomUuid, LocalQubeProperties.DevicesDenied,
        LocalQubeProperties.IncludeInBackups, .. MemoryProperties.All, .. BootProperties.All, .. Network.NetworkProperties.All,
        .. QubeProperties.All,
    ];

    /// <summary>
    /// The default is the template's current value, explicit or default in its turn; without a template (or a value there) the fallback.
    /// </summary>
    internal static DefaultFunction<QubesVM, T> Inherit<T>(Func<PropertyDefinition<QubesVM, T>> self, DefaultFunction<QubesVM, T> fallback) =>
        (QubesVM qube, out T value) => (qube.Template is QubesVM template && self().TryGet(template, out value!))
            || fallback(qube, out value);

    // A qube may be its own guivm, and guivms may form a ring: then nobody has a layout to hand down.
    private static string DefaultKeyboardLayout(QubesVM qube)
    {
        LocalQube at = qube;
        for (int i = 0; i < qube.App.MaxChainLength; i++)
        {
            if (at is not QubesVM vm)
            {
                return at.KeyboardLayout;
            }

            if (vm != qube && KeyboardLayout!.IsExplicit(vm))
            {
                return KeyboardLayout.Get(vm)!;
            }

            if (vm.GuiVM is not { } next || next == vm)
            {
                break;
            }

            at = next;
        }

        return "us++";
    }
}
