using System.Globalization;

namespace Qubes.Model.Volumes;

/// <summary>
/// One field of a volume's configuration: changes are recorded, and taken back, field by field, so that two changes of one volume that
/// overlap do not take back each other's.
/// </summary>
/// <param name="Name">As the history names it.</param>
/// <param name="Text">Its value; null for none of its own.</param>
/// <param name="Copy">The first configuration with the second one's value.</param>
internal sealed record VolumeField(string Name, Func<VolumeConfig, string?> Text, Func<VolumeConfig, VolumeConfig, VolumeConfig> Copy)
{
    /// <summary>All but the name, which tells volumes apart.</summary>
    public static IReadOnlyList<VolumeField> All { get; } =
    [
        new("pool", v => v.Pool, (to, from) => to with { Pool = from.Pool }),
        new("vid", v => v.Vid, (to, from) => to with { Vid = from.Vid }),
        new("size", v => v.Size.ToString(CultureInfo.InvariantCulture), (to, from) => to with { Size = from.Size }),
        new("rw", v => BoolText(v.Rw), (to, from) => to with { Rw = from.Rw }),
        new("save_on_stop", v => BoolText(v.SaveOnStop), (to, from) => to with { SaveOnStop = from.SaveOnStop }),
        new("snap_on_start", v => BoolText(v.SnapOnStart), (to, from) => to with { SnapOnStart = from.SnapOnStart }),
        new("source", v => v.SourceFromTemplate ? "of the template" : v.Source,
            (to, from) => to with { Source = from.Source, SourceFromTemplate = from.SourceFromTemplate }),
        new("revisions_to_keep", v => v.RevisionsToKeep?.ToString(CultureInfo.InvariantCulture), (to, from) => to with { RevisionsToKeep = from.RevisionsToKeep }),
        new("ephemeral", v => v.Ephemeral is { } ephemeral ? BoolText(ephemeral) : null, (to, from) => to with { Ephemeral = from.Ephemeral }),
        new("extra", v => v.Extra.Count == 0 ? null : string.Join(' ', v.Extra.Select(e => $"{e.Key}={e.Value}")), (to, from) => to with { Extra = from.Extra }),
    ];

    private static string BoolText(bool value) => value ? "True" : "False";
}
