using System.Globalization;
using Qubes.Admin.Calls;
using Qubes.Model.Classes;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;
using Qubes.Storage;

namespace Qubes.Admin.Handlers;

/// <summary>What is told of a qube's volumes.</summary>
internal static class VolumeHandlers
{
    public static void List(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        if (call.Destination is not QubesVM qube)
        {
            return;
        }

        foreach (VolumeConfig volume in qube.Volumes.All)
        {
            if (filters.Allows(volume.Name))
            {
                call.WriteLine(volume.Name);
            }
        }
    }

    public static async ValueTask InfoAsync(AdminCall call)
    {
        Volume volume = Find(call, out _);
        call.Permit();
        VolumeStatus status = await volume.GetStatusAsync();
        VolumeConfig config = volume.Config;
        WritePair(call, "pool", volume.Pool.Name);
        WritePair(call, "vid", volume.Vid);
        WritePair(call, "size", status.Size.ToString(CultureInfo.InvariantCulture));
        WritePair(call, "usage", status.Usage.ToString(CultureInfo.InvariantCulture));
        WritePair(call, "rw", PythonText.Bool(config.Rw));
        WritePair(call, "source", config.Source);
        WritePair(call, "path", status.Path);
        WritePair(call, "save_on_stop", PythonText.Bool(config.SaveOnStop));
        WritePair(call, "snap_on_start", PythonText.Bool(config.SnapOnStart));
        WritePair(call, "revisions_to_keep", volume.RevisionsToKeep.ToString(CultureInfo.InvariantCulture));
        WritePair(call, "ephemeral", PythonText.Bool(volume.IsEphemeral));
        if (status.IsOutdated is { } outdated)
        {
            WritePair(call, "is_outdated", PythonText.Bool(outdated));
        }
    }

    public static async ValueTask ListSnapshotsAsync(AdminCall call)
    {
        Volume volume = Find(call, out _);
        AdminFilters filters = call.Permit();
        foreach (VolumeRevision revision in (await volume.ListRevisionsAsync()).OrderBy(r => r.Time))
        {
            if (filters.Allows(revision.Id))
            {
                call.WriteLine(revision.Id);
            }
        }
    }

    /// <summary>The volume a call is about, and its qube.</summary>
    internal static Volume Find(AdminCall call, out QubesVM qube)
    {
        if (call.Destination is not QubesVM found || !found.Volumes.TryGet(call.UntrustedArgument, out _))
        {
            throw QubesErrors.ArgumentNotIn($"{call.Destination.Name} volumes");
        }

        qube = found;
        return call.Services.Lifecycle.StorageOf(qube)[call.UntrustedArgument];
    }

    /// <summary>The configuration of a volume after a wait, in which it or its qube may have gone.</summary>
    internal static VolumeConfig Current(QubesVM qube, string volume) =>
        !qube.IsInCollection ? throw QubesErrors.VMNotFound(qube.Name)
        : qube.Volumes.TryGet(volume, out VolumeConfig? config) ? config
        : throw QubesErrors.ArgumentNotIn($"{qube.Name} volumes");

    private static void WritePair(AdminCall call, string key, string? value) => call.WriteLine($"{key}={value}");
}
