using System.Buffers;
using Qubes.Admin.Calls;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Admin.Handlers;

/// <summary>What changes a qube's volumes: their size, contents and settings.</summary>
internal static class VolumeChangeHandlers
{
    private const string RevisionCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.";
    private static readonly SearchValues<char> Revision = SearchValues.Create(RevisionCharacters);

    public static async ValueTask ResizeAsync(AdminCall call)
    {
        Volume volume = VolumeHandlers.Find(call, out QubesVM qube);
        long size = PayloadNumber.Parse(call.UntrustedPayload.AsSpan().Trim(" \t\n\r\v\f"u8), "Volume size");
        call.Permit(("size", size));
        await call.Services.Lifecycle.ResizeVolumeAsync(qube, volume.Name, size);
        await CommitAsync(call, qube, volume.Name, config => config with { Size = size });

        // Last: the volume has its new size whatever the guest makes of it.
        await call.Services.Lifecycle.ResizeVolumeInGuestAsync(qube, volume.Name);
    }

    public static async ValueTask RevertAsync(AdminCall call)
    {
        Volume volume = VolumeHandlers.Find(call, out QubesVM qube);
        string revision = PayloadText.Strip(call.UntrustedPayload, "Revision name contains non-ASCII characters");
        if (revision.AsSpan().ContainsAnyExcept(Revision))
        {
            throw QubesErrors.Protocol("Revision name must be in safe set: " + RevisionCharacters);
        }

        call.Permit(("volume", volume.Config), ("revision", revision));
        await volume.RevertAsync(revision);
        long size = (await volume.GetStatusAsync()).Size;
        await CommitAsync(call, qube, volume.Name, config => config with { Size = size });
    }

    /// <summary>Replaces the content by zeros; the size stays.</summary>
    public static async ValueTask ClearAsync(AdminCall call)
    {
        Volume volume = VolumeHandlers.Find(call, out QubesVM qube);
        call.Permit();
        long size = (await volume.GetStatusAsync()).Size;
        _ = await volume.ImportBeginAsync(size);
        qube.Fire("domain-volume-import-begin", EventArguments.Of(("volume", volume.Name), ("size", size)));
        bool succeeded = false;
        try
        {
            // What is to be written to comes filled with zeros.
            await volume.ImportEndAsync(success: true);
            succeeded = true;
        }
        finally
        {
            qube.Fire("domain-volume-import-end", EventArguments.Of(("volume", volume.Name), ("success", succeeded)));
        }
    }

    public static async ValueTask SetRevisionsToKeepAsync(AdminCall call)
    {
        Volume volume = VolumeHandlers.Find(call, out QubesVM qube);
        long value = PayloadNumber.Parse(call.UntrustedPayload, "Revisions to keep", allowNegative: true);
        call.Permit(("newvalue", value));
        int number = RevisionCount.Checked(value);
        Check(call, qube, volume.Config, volume.Config with { RevisionsToKeep = number });
        await CommitAsync(call, qube, volume.Name, config => config with { RevisionsToKeep = number });
    }

    public static async ValueTask SetRwAsync(AdminCall call)
    {
        Volume volume = VolumeHandlers.Find(call, out QubesVM qube);
        bool value = PayloadText.ToBool(call.UntrustedPayload);
        call.Permit(("newvalue", value));
        Check(call, qube, volume.Config, volume.Config with { Rw = value });
        await CommitAsync(call, qube, volume.Name, config => config with { Rw = value });
    }

    public static async ValueTask SetEphemeralAsync(AdminCall call)
    {
        Volume volume = VolumeHandlers.Find(call, out QubesVM qube);
        bool value = PayloadText.ToBool(call.UntrustedPayload);
        call.Permit(("newvalue", value));
        Check(call, qube, volume.Config, volume.Config with { Ephemeral = value });
        await CommitAsync(call, qube, volume.Name, config => config with { Ephemeral = value });
    }

    /// <summary>Whether settings of a volume may become these.</summary>
    /// <exception cref="QubesException">They may not, or not now.</exception>
    internal static void Check(AdminCall call, QubesVM qube, VolumeConfig before, VolumeConfig after)
    {
        if (before.RevisionsToKeep != after.RevisionsToKeep)
        {
            // What the pool does may be to take no snapshots, or the other way round.
            int number = after.RevisionsToKeep ?? call.Services.Storage.Open(after).RevisionsToKeep;
            _ = call.Services.Lifecycle.StorageOf(qube).WithRevisionsToKeep(before.Name, number, IsInUse(qube));
        }

        if (before.Rw != after.Rw && !qube.IsHalted)
        {
            throw QubesErrors.VMNotHalted(qube.Name);
        }

        if (before.Ephemeral != after.Ephemeral && after.Ephemeral is { } ephemeral)
        {
            _ = call.Services.Lifecycle.StorageOf(qube).WithEphemeral(before.Name, ephemeral);
        }

        // Its driver may have something against it.
        _ = call.Services.Storage.Open(after);
    }

    /// <summary>It runs, or a disposable does whose private volume is a snapshot of its.</summary>
    private static bool IsInUse(QubesVM qube) =>
        !qube.IsHalted
        || (qube is AppVM && qube.App.Domains.OfType<QubesVM>().Any(other => other.Template == qube && !other.IsHalted));

    private static async Task CommitAsync(AdminCall call, QubesVM qube, string volume, Func<VolumeConfig, VolumeConfig> edit)
    {
        using ModelChange change = call.BeginChange();
        VolumeConfig current = VolumeHandlers.Current(qube, volume);
        VolumeConfig edited = edit(current);
        if (edited != current)
        {
            qube.Volumes.Set(edited);
        }

        await call.CommitAsync(change);
    }
}
