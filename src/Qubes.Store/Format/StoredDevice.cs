namespace Qubes.Store.Format;

/// <summary>One device assignment as written.</summary>
internal sealed class StoredDevice
{
    public required string DeviceClass { get; init; }

    public required List<KeyValuePair<string, string>> Attributes { get; init; }

    public List<KeyValuePair<string, string>> Options { get; } = [];

    public string? Attribute(string name) => Attributes.Find(a => a.Key == name).Value;
}
