namespace Qubes.Store.Format;

/// <summary>The store as it is written: texts only, nothing resolved. What is not understood is kept as XML.</summary>
internal sealed class StoreDocument
{
    /// <summary>The number of the last commit this file contains; 0 if it does not say.</summary>
    public long Revision { get; set; }

    public List<StoredLabel> Labels { get; } = [];

    /// <summary>The attributes of each pool, in order.</summary>
    public List<List<KeyValuePair<string, string>>> Pools { get; } = [];

    /// <summary>Global properties in the order of the file.</summary>
    public List<KeyValuePair<string, string>> Properties { get; } = [];

    public List<StoredQube> Qubes { get; } = [];

    /// <summary>Elements of the root that this version does not know.</summary>
    public List<string> Unknown { get; } = [];

    /// <summary>The section of qubes is there: without it the file is not a store, or not all of it.</summary>
    public bool HasQubes { get; set; }
}
