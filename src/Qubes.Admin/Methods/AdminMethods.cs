using Qubes.Admin.Handlers;
using Qubes.Model.Classes;

namespace Qubes.Admin.Methods;

/// <summary>The rows of the method table. To add a call: one row here, one handler, one test named after the call.</summary>
public static class AdminMethods
{
    private const AdminAccess Reads = AdminAccess.Read;
    private const AdminAccess Writes = AdminAccess.Read | AdminAccess.Write;
    private const AdminAccess Executes = AdminAccess.Read | AdminAccess.Execute;
    private const string PropertyResult = "`default=True` or `False`, `type=TYPE`, value";
    private const string PropertyLines = "a line `NAME CONTENT OF Get` each, `\\` and line feed escaped";

    /// <summary>All calls of this version.</summary>
    public static AdminMethodTable Table { get; } =
        new([.. System(), .. Properties(), .. Qubes(), .. FeaturesAndTags(), .. Labels(), .. Storage(), .. Devices(), .. Internal()]);

    /// <summary>Services that programs carry out with calls of the internal socket, because their data is too much for a request.</summary>
    public static IReadOnlyList<string> ProgramServices { get; } = ["admin.vm.volume.Import", "admin.vm.volume.ImportWithSize"];

    private static AdminMethod[] System() =>
    [
        Global("admin.vmclass.List", Reads) with
        {
            Answer = SystemHandlers.ClassList, Help = "Lists the classes of qubes", Result = "a name a line",
        },
        Global("admin.deviceclass.List", Reads) with
        {
            Answer = SystemHandlers.DeviceClassList, Help = "Lists the device classes", Result = "a name a line",
        },
        Global("admin.Events", Reads) with
        {
            Destination = AdminDestination.Any, Answer = SystemHandlers.Events,
            Help = "Streams the events of a qube, or of everything", Result = "events, until the caller goes",
        },
    ];

    private static AdminMethod[] Properties() =>
    [
        Global("admin.property.List", Reads) with
        {
            Answer = call => PropertyHandlers.List(call, call.App), Help = "Lists the global properties", Result = "a name a line",
        },
        Global("admin.property.Get", Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.Get(call, call.App),
            Help = "Reads a global property", Result = PropertyResult,
        },
        Global("admin.property.GetAll", Reads) with
        {
            Answer = call => PropertyHandlers.GetAll(call, call.App), Help = "Reads all global properties", Result = PropertyLines,
        },
        Global("admin.property.GetDefault", Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.GetDefault(call, call.App),
            Help = "Reads the default of a global property", Result = "`type=TYPE`, value; empty if there is none",
        },
        Global("admin.property.Help", Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.Help(call, call.App),
            Help = "Explains a global property", Result = "text",
        },
        Global("admin.property.Set", Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Optional, Handler = call => PropertyHandlers.SetAsync(call, call.App),
            Help = "Sets a global property to the payload",
        },
        Global("admin.property.Reset", Writes) with
        {
            Argument = AdminPart.Required, Handler = call => PropertyHandlers.ResetAsync(call, call.App),
            Help = "Returns a global property to its default",
        },
        Local("admin.vm.property.List", Reads) with
        {
            Answer = call => PropertyHandlers.List(call, call.Destination), Help = "Lists the properties of a qube",
            Result = "a name a line",
        },
        Local("admin.vm.property.Get", Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.Get(call, call.Destination),
            Help = "Reads a property of a qube", Result = PropertyResult,
        },
        Local("admin.vm.property.GetAll", Reads) with
        {
            Answer = call => PropertyHandlers.GetAll(call, call.Destination), Help = "Reads all properties of a qube",
            Result = PropertyLines,
        },
        Local("admin.vm.property.GetDefault", Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.GetDefault(call, call.Destination),
            Help = "Reads the default of a property of a qube", Result = "`type=TYPE`, value; empty if there is none",
        },
        Local("admin.vm.property.Help", Reads) with
        {
            Argument = AdminPart.Required, Answer = call => PropertyHandlers.Help(call, call.Destination),
            Help = "Explains a property of a qube", Result = "text",
        },
        Local("admin.vm.property.Set", Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Optional,
            Handler = call => PropertyHandlers.SetAsync(call, call.Destination), Help = "Sets a property of a qube to the payload",
        },
        Local("admin.vm.property.Reset", Writes) with
        {
            Argument = AdminPart.Required, Handler = call => PropertyHandlers.ResetAsync(call, call.Destination),
            Help = "Returns a property of a qube to its default",
        },
    ];

    private static IEnumerable<AdminMethod> Qubes() =>
    [
        Global("admin.vm.List", Reads) with
        {
            Destination = AdminDestination.Any, Answer = QubeHandlers.List, Help = "Lists one qube, or on dom0 all of them",
            Result = "a line `NAME class=CLASS state=STATE uuid=UUID` each",
        },
        Local("admin.vm.CurrentState", Reads) with
        {
            Answer = QubeHandlers.CurrentState, Help = "Tells what a qube uses at the moment",
            Result = "`mem=KIB mem_static_max=KIB cputime=NS power_state=STATE`",
        },
        .. QubeClasses.All.SelectMany(qubeClass => new[]
        {
            Creation("admin.vm.Create.", qubeClass, allowPool: false, $"Creates a qube of class {qubeClass.Name}"),
            Creation("admin.vm.CreateInPool.", qubeClass, allowPool: true, $"Creates a qube of class {qubeClass.Name} in given pools"),
        }),
        Global("admin.vm.Remove", Writes) with
        {
            Destination = AdminDestination.Any, Handler = CreateHandlers.RemoveAsync, Help = "Removes a qube with its data",
        },
        Local("admin.vm.Start", Executes) with
        {
            Handler = PowerHandlers.StartAsync, Help = "Starts a qube; one that is not halted is left as it is",
        },
        Local("admin.vm.Shutdown", Executes) with
        {
            Argument = AdminPart.Optional, Handler = PowerHandlers.ShutdownAsync,
            Help = "Asks a qube to shut down; argument `force`, `wait` or both joined by `+`",
        },
        Local("admin.vm.Kill", Executes) with { Handler = PowerHandlers.KillAsync, Help = "Ends a qube at once" },
        Local("admin.vm.Pause", Executes) with { Handler = PowerHandlers.PauseAsync, Help = "Stops a qube's CPUs" },
        Local("admin.vm.Unpause", Executes) with { Handler = PowerHandlers.UnpauseAsync, Help = "Lets a paused qube go on" },
    ];

    private static AdminMethod[] FeaturesAndTags() =>
    [
        Local("admin.vm.feature.List", Reads) with
        {
            Answer = FeatureHandlers.List, Help = "Lists the features of a qube", Result = "a name a line",
        },
        FeatureRead("Get", FeatureHandlers.Get, "Reads a feature of a qube"),
        FeatureRead("CheckWithTemplate", FeatureHandlers.CheckWithTemplate, "Reads a feature of a qube or of its templates"),
        FeatureRead("CheckWithNetvm", FeatureHandlers.CheckWithNetVM, "Reads a feature of a qube or of its network qubes"),
        FeatureRead("CheckWithAdminVM", FeatureHandlers.CheckWithAdminVM, "Reads a feature of a qube or of dom0"),
        FeatureRead("CheckWithTemplateAndAdminVM", FeatureHandlers.CheckWithTemplateAndAdminVM,
            "Reads a feature of a qube, of its templates or of dom0"),
        Local("admin.vm.feature.Set", Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Optional, Handler = FeatureHandlers.SetAsync,
            Help = "Sets a feature of a qube to the payload",
        },
        Local("admin.vm.feature.Remove", Writes) with
        {
            Argument = AdminPart.Required, Handler = FeatureHandlers.RemoveAsync, Help = "Removes a feature of a qube",
        },
        Local("admin.vm.tag.List", Reads) with { Answer = TagHandlers.List, Help = "Lists the tags of a qube", Result = "a name a line" },
        Local("admin.vm.tag.Get", Reads) with
        {
            Argument = AdminPart.Required, Answer = TagHandlers.Get, Help = "Tells whether a qube has a tag", Result = "`1` or `0`",
        },
        Local("admin.vm.tag.Set", Writes) with
        {
            Argument = AdminPart.Required, Handler = TagHandlers.SetAsync, Help = "Adds a tag to a qube",
        },
        Local("admin.vm.tag.Remove", Writes) with
        {
            Argument = AdminPart.Required, Handler = TagHandlers.RemoveAsync, Help = "Removes a tag of a qube",
        },
    ];

    private static AdminMethod[] Labels() =>
    [
        Global("admin.label.List", Reads) with { Answer = LabelHandlers.List, Help = "Lists the labels", Result = "a name a line" },
        Global("admin.label.Get", Reads) with
        {
            Argument = AdminPart.Required, Answer = LabelHandlers.Get, Help = "Reads the colour of a label", Result = "`0xRRGGBB`",
        },
        Global("admin.label.Index", Reads) with
        {
            Argument = AdminPart.Required, Answer = LabelHandlers.Index, Help = "Reads the index of a label", Result = "a number",
        },
        Global("admin.label.Create", Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Required, Handler = LabelHandlers.CreateAsync,
            Help = "Creates a label of the colour in the payload",
        },
        Global("admin.label.Remove", Writes) with
        {
            Argument = AdminPart.Required, Handler = LabelHandlers.RemoveAsync, Help = "Removes a label that no qube has",
        },
    ];

    private static AdminMethod[] Storage() =>
    [
        Global("admin.pool.List", Reads) with { Answer = PoolHandlers.List, Help = "Lists the storage pools", Result = "a name a line" },
        Global("admin.pool.ListDrivers", Reads) with
        {
            Answer = PoolHandlers.ListDrivers, Help = "Lists the drivers of storage pools", Result = "a line `DRIVER PARAMETER...` each",
        },
        Global("admin.pool.Info", Reads) with
        {
            Argument = AdminPart.Required, Handler = PoolHandlers.InfoAsync, Help = "Tells the configuration and use of a pool",
            Result = "lines `KEY=VALUE`",
        },
        Global("admin.pool.UsageDetails", Reads) with
        {
            Argument = AdminPart.Required, Handler = PoolHandlers.UsageDetailsAsync, Help = "Tells what a pool uses in detail",
            Result = "lines `KEY=NUMBER`",
        },
        Local("admin.vm.volume.List", Reads) with
        {
            Answer = VolumeHandlers.List, Help = "Lists the volumes of a qube", Result = "a name a line",
        },
        Local("admin.vm.volume.Info", Reads) with
        {
            Argument = AdminPart.Required, Handler = VolumeHandlers.InfoAsync, Help = "Tells all of a volume", Result = "lines `KEY=VALUE`",
        },
        Local("admin.vm.volume.ListSnapshots", Reads) with
        {
            Argument = AdminPart.Required, Handler = VolumeHandlers.ListSnapshotsAsync, Help = "Lists the older contents a volume can go back to",
            Result = "a revision a line, the oldest first",
        },
    ];

    private static IEnumerable<AdminMethod> Devices() => DeviceHandlers.Classes.SelectMany(c => new[]
    {
        DeviceList("Available", c, call => DeviceHandlers.Available(call, c), "Lists what a qube offers"),
        DeviceList("Assigned", c, call => DeviceHandlers.Assigned(call, c), "Lists what a qube gets when it starts"),
        DeviceList("Attached", c, call => DeviceHandlers.Attached(call, c), "Lists what a qube has at the moment"),
    });

    private static AdminMethod[] Internal() =>
    [
        new("internal.GetSystemInfo")
        {
            Destination = AdminDestination.AdminVM, Scope = AdminScope.None, Entry = AdminEntry.None,
            Answer = InternalHandlers.GetSystemInfo, Help = "Tells policy of all qubes", Result = "JSON",
        },
        new("internal.vm.volume.ImportBegin")
        {
            Argument = AdminPart.Required, Payload = AdminPart.Optional, Scope = AdminScope.None, Entry = AdminEntry.None,
            Handler = ImportHandlers.BeginAsync, Help = "Begins to replace the data of a volume; payload: the new size",
            Result = "`SIZE PATH`: where to write how much",
        },
        new("internal.vm.volume.ImportEnd")
        {
            Argument = AdminPart.Required, Payload = AdminPart.Required, Scope = AdminScope.None, Entry = AdminEntry.None,
            Handler = ImportHandlers.EndAsync, Help = "Ends it; payload: `ok`, or `fail` and a line with the reason",
        },
    ];

    private static AdminMethod Creation(string prefix, QubeClass qubeClass, bool allowPool, string help) =>
        Global(prefix + qubeClass.Name, Writes) with
        {
            Argument = AdminPart.Optional,
            Payload = AdminPart.Optional,
            Handler = call => CreateHandlers.CreateAsync(call, qubeClass, allowPool),
            Help = help + "; argument: its template; payload: "
                + (allowPool ? "`name=NAME label=LABEL`, then `pool=POOL` or `pool:VOLUME=POOL`s" : "`name=NAME label=LABEL`"),
            NotInPolicy = qubeClass == QubeClasses.AdminVM,
            Entry = qubeClass == QubeClasses.AdminVM ? AdminEntry.None : AdminEntry.Link,
        };

    private static AdminMethod FeatureRead(string name, AdminAnswer answer, string help) =>
        Local("admin.vm.feature." + name, Reads) with
        {
            Argument = AdminPart.Required, Answer = answer, Help = help, Result = "the value",
        };

    private static AdminMethod DeviceList(string name, string deviceClass, AdminAnswer answer, string help) =>
        Local($"admin.vm.device.{deviceClass}.{name}", Reads) with
        {
            Argument = AdminPart.Optional, Answer = answer, Help = $"{help} of device class {deviceClass}",
            Result = "a line for each, with the serialised device",
        };

    private static AdminMethod Global(string name, AdminAccess access) => new(name)
    {
        Destination = AdminDestination.AdminVM, Scope = AdminScope.Global, Access = access, Help = "",
    };

    private static AdminMethod Local(string name, AdminAccess access) => new(name)
    {
        Scope = AdminScope.Local, Access = access, Help = "",
    };
}
