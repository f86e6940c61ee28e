using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>The store as it is written: texts only, nothing resolved. What is not understood is kept as XML.</summary>
internal sealed class StoreDocument
{
    /// <summary>The number of the last commit this file contains; 0 if it does not say.</summary>
    public long Revision { get; set; }

    public List<StoredLabel> Labels { get; } = [];

    public List<StoredPool> Pools { get; } = [];

    /// <summary>Global properties in the order of the file.</summary>
    public List<KeyValuePair<string, string>> Properties { get; } = [];

    public List<StoredQube> Qubes { get; } = [];

    /// <summary>What else it says, but for labels, pools and qubes, which have their own. The root is the place <c>qubes</c>.</summary>
    public ForeignParts Foreign { get; } = new();

    /// <summary>Comments behind the root, each a line.</summary>
    public string End { get; set; } = "";

    /// <summary>The section of qubes is there: without it the file is not a store, or not all of it.</summary>
    public bool HasQubes { get; set; }
}
