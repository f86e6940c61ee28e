using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>One device assignment as written.</summary>
internal sealed class StoredDevice
{
    public required string DeviceClass { get; init; }

    /// <summary>Those that are understood, in order.</summary>
    public required List<KeyValuePair<string, string>> Attributes { get; init; }

    public List<KeyValuePair<string, string>> Options { get; } = [];

    /// <summary>What else it says: places <c>device</c> and, by name, <c>option</c>.</summary>
    public ForeignParts Foreign { get; } = new();

    public string? Attribute(string name) => Attributes.Find(a => a.Key == name).Value;
}
