using Qubes.Admin.Calls;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Model.Volumes;
using Qubes.Protocol.Errors;
using Qubes.Storage;

namespace Qubes.Admin.Handlers;

/// <summary>Copying the data of one volume into another, in two calls: each asks for permission on its own qube.</summary>
internal static class CloneHandlers
{
    /// <summary>Answers with a token.</summary>
    public static void From(AdminCall call)
    {
        Volume volume = VolumeHandlers.Find(call, out QubesVM qube);
        call.Permit(("volume", volume.Config));
        call.Write(call.Services.CloneTokens.Issue(qube, volume));
    }

    /// <summary>Takes the token; it is used up whatever comes of it.</summary>
    public static async ValueTask ToAsync(AdminCall call)
    {
        Volume target = VolumeHandlers.Find(call, out QubesVM qube);
        string untrustedToken = PayloadText.Strip(call.UntrustedPayload, "Token contains non-ASCII characters");
        if (!call.Services.CloneTokens.TryTake(untrustedToken, out CloneSource? token))
        {
            throw QubesErrors.VolumeCopyTokenNotFound();
        }

        Volume source = FindSource(call, token);
        call.Permit(("src_volume", source.Config), ("dst_volume", target.Config));
        if (source.SnapshotsDisabled && token.Qube.IsRunning)
        {
            throw QubesErrors.StoragePool($"Volume {source.Vid} must be stopped before importing its data");
        }

        await target.ImportVolumeAsync(source);
        long size = (await target.GetStatusAsync()).Size;
        using ModelChange change = call.BeginChange();
        VolumeConfig current = VolumeHandlers.Current(qube, target.Name);
        if (current.Size != size)
        {
            qube.Volumes.Set(current with { Size = size });
        }

        await qube.FireAsync("domain-import-volume", EventArguments.Of(("name", target.Name), ("source", source.Config)));
        await call.CommitAsync(change);
    }

    private static Volume FindSource(AdminCall call, CloneSource token)
    {
        if (token.Qube.IsInCollection && token.Qube.Volumes.TryGet(token.VolumeName, out VolumeConfig? config)
            && (config.Pool is null || call.App.Pools.TryGet(config.Pool, out _)))
        {
            Volume volume = call.Services.Lifecycle.StorageOf(token.Qube)[token.VolumeName];
            if (volume.ToString() == token.Identity)
            {
                return volume;
            }
        }

        throw QubesErrors.StoragePool("The volume to copy from does not exist any more");
    }
}
