using System.Globalization;
using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>One qube as written.</summary>
internal sealed class StoredQube
{
    /// <summary>Its place among the <c>domain</c> elements, by which the element is found again.</summary>
    public required int Position { get; init; }

    /// <summary>Where the element begins in the file; 0 for one that is not there.</summary>
    public int Line { get; init; }

    public required string Class { get; init; }

    /// <summary>In the order of the file; of several with one name the last counts.</summary>
    public List<KeyValuePair<string, string>> Properties { get; } = [];

    public List<KeyValuePair<string, string>> Features { get; } = [];

    public List<string> Tags { get; } = [];

    public List<StoredDevice> Devices { get; } = [];

    /// <summary>The attributes of each volume, in order.</summary>
    public List<List<KeyValuePair<string, string>>> Volumes { get; } = [];

    /// <summary>What else it says, but for devices, which have their own.</summary>
    public ForeignParts Foreign { get; } = new();

    /// <summary>The element itself, where it is not in the file of the store; such a qube has no position there.</summary>
    public string? Source { get; init; }

    /// <summary>Its number, as far as it is one.</summary>
    public int? Qid => int.TryParse(Property("qid"), NumberStyles.None, CultureInfo.InvariantCulture, out int qid) ? qid : null;

    public string? Property(string name) => Properties.FindLast(p => p.Key == name).Value;
}
