using Qubes.Admin.Handlers;

namespace Qubes.Admin.Methods.Families;

/// <summary>Calls about pools and volumes.</summary>
internal static class StorageMethods
{
    public static IEnumerable<AdminMethod> Rows() =>
    [
        AdminRow.Global("admin.pool.List", AdminRow.Reads) with { Answer = PoolHandlers.List, Help = "Lists the storage pools", Result = "a name a line" },
        AdminRow.Global("admin.pool.ListDrivers", AdminRow.Reads) with
        {
            Answer = PoolHandlers.ListDrivers, Help = "Lists the drivers of storage pools", Result = "a line `DRIVER PARAMETER...` each",
        },
        AdminRow.Global("admin.pool.Info", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Handler = PoolHandlers.InfoAsync, Help = "Tells the configuration and use of a pool",
            Result = "lines `KEY=VALUE`",
        },
        AdminRow.Global("admin.pool.UsageDetails", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Handler = PoolHandlers.UsageDetailsAsync, Help = "Tells what a pool uses in detail",
            Result = "lines `KEY=NUMBER`",
        },
        AdminRow.Global("admin.pool.volume.List", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Handler = PoolHandlers.ListVolumesAsync, Help = "Lists the volumes in a pool", Result = "an id a line",
        },
        AdminRow.Global("admin.pool.Add", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Required, Handler = PoolChangeHandlers.AddAsync,
            Help = "Adds a pool; argument: its driver; payload: lines `KEY=VALUE`, among them `name`",
        },
        AdminRow.Global("admin.pool.Remove", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Handler = PoolChangeHandlers.RemoveAsync, Help = "Removes a pool that is not used; its data stays",
        },
        AdminRow.Global("admin.pool.Set.revisions_to_keep", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Required, Handler = PoolChangeHandlers.SetRevisionsToKeepAsync,
            Help = "Sets how many older contents new volumes keep; -1 turns snapshots off",
        },
        AdminRow.Global("admin.pool.Set.ephemeral_volatile", AdminRow.Writes) with
        {
            Argument = AdminPart.Required, Payload = AdminPart.Required, Handler = PoolChangeHandlers.SetEphemeralVolatileAsync,
            Help = "Sets whether volatile volumes are encrypted with a key nobody keeps",
        },
        AdminRow.Local("admin.vm.volume.List", AdminRow.Reads) with
        {
            Answer = VolumeHandlers.List, Help = "Lists the volumes of a qube", Result = "a name a line",
        },
        AdminRow.Local("admin.vm.volume.Info", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Handler = VolumeHandlers.InfoAsync, Help = "Tells all of a volume", Result = "lines `KEY=VALUE`",
        },
        AdminRow.Local("admin.vm.volume.ListSnapshots", AdminRow.Reads) with
        {
            Argument = AdminPart.Required, Handler = VolumeHandlers.ListSnapshotsAsync, Help = "Lists the older contents a volume can go back to",
            Result = "a revision a line, the oldest first",
        },
        Change("admin.vm.volume.Revert", VolumeChangeHandlers.RevertAsync, "Goes back to an older content; payload: the revision"),
        Change("admin.vm.volume.Resize", VolumeChangeHandlers.ResizeAsync, "Changes the size; payload: bytes"),
        Change("admin.vm.volume.Clear", VolumeChangeHandlers.ClearAsync, "Replaces the content by zeros") with { Payload = AdminPart.None },
        Change("admin.vm.volume.CloneTo", CloneHandlers.ToAsync, "Replaces the content by that of another volume; payload: the token of that"),
        Change("admin.vm.volume.CloneFrom", handler: null, "Makes a token by which the content can be copied once") with
        {
            Payload = AdminPart.None, Answer = CloneHandlers.From, Result = "32 characters",
        },
        Change("admin.vm.volume.Set.revisions_to_keep", VolumeChangeHandlers.SetRevisionsToKeepAsync,
            "Sets how many older contents are kept; -1 turns snapshots off"),
        Change("admin.vm.volume.Set.rw", VolumeChangeHandlers.SetRwAsync, "Sets whether the qube may write to it"),
        Change("admin.vm.volume.Set.ephemeral", VolumeChangeHandlers.SetEphemeralAsync,
            "Sets whether it is encrypted with a key nobody keeps"),
    ];

    private static AdminMethod Change(string name, AdminHandler? handler, string help) => AdminRow.Local(name, AdminRow.Writes) with
    {
        Argument = AdminPart.Required, Payload = AdminPart.Required, Handler = handler, Help = help,
    };
}
