using Qubes.Admin.Handlers;
using Qubes.Admin.Streams;
using Qubes.Model.Classes;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about qubes as a whole: list, create, remove, start, stop.</summary>
internal static class QubeMethods
{
    public const string CreatePrefix = "admin.vm.Create.";
    public const string CreateInPoolPrefix = "admin.vm.CreateInPool.";

    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Global("admin.vm.List", AdminRow.Reads) with
        {
            Destination = AdminDestination.Any, Answer = QubeHandlers.List, Help = "Lists one qube, or on dom0 all of them",
            Result = "a line `NAME class=CLASS state=STATE uuid=UUID` each",
        },
        AdminRow.Local("admin.vm.CurrentState", AdminRow.Reads) with
        {
            Answer = QubeHandlers.CurrentState, Help = "Tells what a qube uses at the moment",
            Result = "`mem=KIB mem_static_max=KIB cputime=NS power_state=STATE`",
        },
        .. QubeClasses.All.SelectMany(OfClass),
        AdminRow.Global("admin.vm.CreateDisposable", AdminRow.Writes) with
        {
            Destination = AdminDestination.Any, Argument = AdminPart.Optional, Payload = AdminPart.Optional,
            Handler = DisposableHandlers.CreateAsync,
            Help = "Gives a disposable of the template, on dom0 of the caller's `default_dispvm`; it is removed when it stops. "
                + "Payload `uuid` asks for its UUID. Argument `preload`: starts some ahead of need instead",
            Result = "its name, or `uuid:UUID`; nothing with `preload`",
        },
        AdminRow.Global("admin.vm.Remove", AdminRow.Writes) with
        {
            Destination = AdminDestination.Any, Handler = CreateHandlers.RemoveAsync, Help = "Removes a qube with its data",
        },
        AdminRow.Local("admin.vm.Start", AdminRow.Executes) with
        {
            Handler = PowerHandlers.StartAsync, Help = "Starts a qube; one that is not halted is left as it is",
        },
        AdminRow.Local("admin.vm.Shutdown", AdminRow.Executes) with
        {
            Argument = AdminPart.Optional, Handler = PowerHandlers.ShutdownAsync,
            Help = "Asks a qube to shut down; argument `force`, `wait` or both joined by `+`",
        },
        AdminRow.Local("admin.vm.Kill", AdminRow.Executes) with { Handler = PowerHandlers.KillAsync, Help = "Ends a qube at once" },
        AdminRow.Local("admin.vm.Pause", AdminRow.Executes) with { Handler = PowerHandlers.PauseAsync, Help = "Stops a qube's CPUs" },
        AdminRow.Local("admin.vm.Unpause", AdminRow.Executes) with { Handler = PowerHandlers.UnpauseAsync, Help = "Lets a paused qube go on" },
        AdminRow.Local("admin.vm.Suspend", AdminRow.Executes) with
        {
            Handler = PowerHandlers.SuspendAsync, Help = "Lets a qube sleep; one that cannot is paused",
        },
        AdminRow.Local("admin.vm.Resume", AdminRow.Executes) with { Handler = PowerHandlers.ResumeAsync, Help = "Wakes a suspended or paused qube" },
        AdminRow.Local("admin.vm.Console", AdminRow.Writes) with
        {
            Entry = AdminEntry.Program, Handler = PowerHandlers.ConsoleAsync, Help = "Finds the console of a running qube",
            Result = "the path of a terminal device, empty if there is none",
        },
        AdminRow.Global("admin.vm.Stats", AdminRow.Reads) with
        {
            Destination = AdminDestination.Any, Handler = StatsStream.SendAsync, IsStream = true,
            Help = "Streams what a running qube, or each of them, uses", Result = "events `vm-stats`, until the caller goes",
        },
    ];

    /// <summary>The calls that make qubes of one class.</summary>
    public static IEnumerable<AdminMethod> OfClass(QubeClass qubeClass) =>
    [
        Creation(CreatePrefix, qubeClass, allowPool: false, $"Creates a qube of class {qubeClass.Name}"),
        Creation(CreateInPoolPrefix, qubeClass, allowPool: true, $"Creates a qube of class {qubeClass.Name} in given pools"),
    ];

    private static AdminMethod Creation(string prefix, QubeClass qubeClass, bool allowPool, string help) =>
        AdminRow.Global(prefix + qubeClass.Name, AdminRow.Writes) with
        {
            Argument = AdminPart.Optional,
            Payload = AdminPart.Optional,
            Handler = call => CreateHandlers.CreateAsync(call, qubeClass, allowPool),
            Help = help + "; argument: its template; payload: "
                + (allowPool ? "`name=NAME label=LABEL`, then `pool=POOL` or `pool:VOLUME=POOL`s" : "`name=NAME label=LABEL`"),
            NotInPolicy = qubeClass == QubeClasses.AdminVM,
            Entry = qubeClass == QubeClasses.AdminVM ? AdminEntry.None : AdminEntry.Link,
        };
}
