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
    ];
}
