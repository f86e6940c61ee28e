using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>What a store held that could not be used: written back as it was, so that a repair or a newer version finds it.</summary>
internal sealed class PreservedEntries
{
    public List<StoredLabel> Labels { get; } = [];

    public List<StoredPool> Pools { get; } = [];

    /// <summary>Global properties nobody knows, or whose value could not be taken.</summary>
    public List<KeyValuePair<string, string>> Properties { get; } = [];

    /// <summary>Whole <c>domain</c> elements.</summary>
    public List<string> Qubes { get; } = [];

    /// <summary>
    /// What usable entries say beside what is understood, with labels and pools by their names; qubes have their own
    /// (<see cref="Model.Classes.Qube.Foreign"/>).
    /// </summary>
    public ForeignParts Foreign { get; set; } = new();

    /// <summary>Comments behind the root, each a line.</summary>
    public string End { get; set; } = "";
}
