using Qubes.Client;

namespace Qvm.Tools.Listing;

/// <summary>Everything about one qube that the columns asked for need.</summary>
/// <param name="Info">Name, class and state.</param>
/// <param name="Property">Finds a property by its name; null for one it does not have.</param>
internal sealed record QubeRow(QubeInfo Info, Func<string, PropertyValue?> Property)
{
    /// <summary>Volumes by name; empty unless a column of volumes is shown.</summary>
    public required IReadOnlyDictionary<string, VolumeFigures> Volumes { get; init; }

    /// <summary>Memory in MiB, if it is running and a column shows it.</summary>
    public long? Memory { get; init; }

    /// <summary>The text of a property in a cell: a dash for what has no value, or an empty one.</summary>
    public string Text(string property) => Property(property) is { Raw.Length: > 0 } value ? value.Raw : "-";

    public string? Netvm => Property("netvm")?.Raw;
}
