using System.Text.Json;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Storage;

namespace Qubes.Extensions.OutOfProcess.Storage;

/// <summary>The form of what a storage driver is asked and answers, see docs/extensions.md.</summary>
internal static class StorageJson
{
    private const int MaxVolumes = 20_000;
    private const int MaxRevisions = 1000;
    private const int MaxVidLength = 256;
    private const int MaxRevisionLength = 64;
    private const long MaxPoolSize = 1L << 60;

    // The last second of the year 9999.
    private const long MaxTime = 253_402_300_799;

    // "pool": {"name": NAME, "driver": NAME, "options": {KEY: TEXT, …}}

    public static void WritePool(Utf8JsonWriter writer, Pool pool)
    {
        writer.WriteStartObject("pool");
        writer.WriteString("name", pool.Name);
        writer.WriteString("driver", pool.Driver.Name);
        writer.WriteStartObject("options");
        foreach ((string key, string value) in pool.Config.Options)
        {
            writer.WriteString(key, value);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    // MEMBER: {"name": NAME, "vid": ID, "kind": "origin"|"snapshot"|"volatile", "size": BYTES, "rw": BOOL, "revisions_to_keep": N,
    //          "ephemeral": BOOL, "source": ID}, the source of snapshots only

    public static void WriteVolume(Utf8JsonWriter writer, string member, Volume volume)
    {
        writer.WriteStartObject(member);
        writer.WriteString("name", volume.Name);
        writer.WriteString("vid", volume.Vid);
        writer.WriteString("kind", volume.Kind switch
        {
            VolumeKind.Origin => "origin",
            VolumeKind.Snapshot => "snapshot",
            _ => "volatile",
        });
        writer.WriteNumber("size", volume.Config.Size);
        writer.WriteBoolean("rw", volume.Config.Rw);
        writer.WriteNumber("revisions_to_keep", volume.RevisionsToKeep);
        writer.WriteBoolean("ephemeral", volume.IsEphemeral);
        if (volume.Config.Source is { } source)
        {
            writer.WriteString("source", source);
        }

        writer.WriteEndObject();
    }

    // {"path": PATH}

    public static string Path(RpcParams untrusted) => untrusted.Text("path");

    // {MEMBER: [ID, …]}

    public static IReadOnlyList<string> Vids(RpcParams untrusted, string member)
    {
        IReadOnlyList<string> vids = untrusted.Texts(member, MaxVolumes, MaxVidLength);
        return vids.FirstOrDefault(vid => !VolumeNames.IsFileVid(vid)) is null
            ? [.. vids.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]
            : throw RpcException.InvalidParams($"'{member}' has something that is no volume's id");
    }

    // {"size": BYTES, "used": BYTES}, or null

    public static PoolUsage? Usage(RpcParams untrusted) => untrusted.Element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined
        ? null
        : new PoolUsage(untrusted.LongNumber("size", 0, MaxPoolSize), untrusted.LongNumber("used", 0, MaxPoolSize));

    // {"online": BOOL}, or null

    public static ResizeOutcome Resize(RpcParams untrusted) =>
        untrusted.Flag("online") ? ResizeOutcome.HypervisorMustResize : ResizeOutcome.Done;

    // {"revisions": [{"id": ID, "time": SECONDS}, …]}

    public static IReadOnlyList<VolumeRevision> Revisions(RpcParams untrusted)
    {
        List<VolumeRevision> revisions = [];
        foreach (RpcParams revision in untrusted.Objects("revisions", MaxRevisions))
        {
            string id = revision.Text("id", MaxRevisionLength);
            if (id.Length == 0 || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is ':' or '-' or '_' or '.') || revisions.Any(r => r.Id == id))
            {
                throw RpcException.InvalidParams("a revision's id is ASCII letters, digits and ':-_.', and there once");
            }

            revisions.Add(new VolumeRevision(id, DateTimeOffset.FromUnixTimeSeconds(revision.LongNumber("time", 0, MaxTime))));
        }

        return [.. revisions.OrderBy(r => r.Time)];
    }

    // {"size": BYTES, "usage": BYTES, "path": PATH, "dirty": BOOL, "outdated": BOOL}; path may be missing, outdated is for snapshots

    public static VolumeStatus Status(RpcParams untrusted, Volume volume) => new(
        untrusted.LongNumber("size", 0, VolumePlan.MaxSize),
        untrusted.LongNumber("usage", 0, MaxPoolSize),
        untrusted.OptionalText("path"),
        volume.Kind == VolumeKind.Origin && untrusted.Flag("dirty"),
        volume.Kind == VolumeKind.Snapshot ? untrusted.Flag("outdated") : null);
}
