namespace Qubes.Store.Format;

/// <summary>What a store held that could not be used: written back as it was, so that a repair or a newer version finds it.</summary>
internal sealed class PreservedEntries
{
    public List<StoredLabel> Labels { get; } = [];

    public List<IReadOnlyList<KeyValuePair<string, string>>> Pools { get; } = [];

    /// <summary>Global properties nobody knows, or whose value could not be taken.</summary>
    public List<KeyValuePair<string, string>> Properties { get; } = [];

    /// <summary>Whole <c>domain</c> elements.</summary>
    public List<string> Qubes { get; } = [];

    /// <summary>Elements of the root.</summary>
    public List<string> Unknown { get; } = [];
}
