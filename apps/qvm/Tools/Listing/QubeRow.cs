using Qubes.Client;

namespace Qvm.Tools.Listing;

/// <summary>Everything about one qube that the columns asked for need.</summary>
/// <param name="Info">Name, class and state.</param>
/// <param name="Properties">Its properties.</param>
internal sealed record QubeRow(QubeInfo Info, IReadOnlyDictionary<string, PropertyValue> Properties)
{
    /// <summary>Volumes by name; empty unless a column of volumes is shown.</summary>
    public IReadOnlyDictionary<string, VolumeFigures> Volumes { get; init; } = new Dictionary<string, VolumeFigures>(StringComparer.Ordinal);

    /// <summary>Memory in MiB, if it is running and a column shows it.</summary>
    public long? Memory { get; init; }

    /// <summary>The text of a property in a cell: a dash for what has no value, or an empty one.</summary>
    public string Text(string property) =>
        Properties.TryGetValue(property, out PropertyValue? value) && value.Raw.Length > 0 ? value.Raw : "-";

    public string? Netvm => Properties.GetValueOrDefault("netvm")?.Raw;
}
