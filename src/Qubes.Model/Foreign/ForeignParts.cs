namespace Qubes.Model.Foreign;

/// <summary>
/// What the store says of one qube, or before the qubes, beside what this version understands: newer versions and other programs find it
/// again. It belongs to the names it stood at: what comes back under such a name has it again until the next load.
/// </summary>
public sealed class ForeignParts
{
    private Dictionary<ForeignPlace, ForeignXml>? _parts;

    public bool IsEmpty => _parts is null;

    public IReadOnlyCollection<KeyValuePair<ForeignPlace, ForeignXml>> All => _parts ?? (IReadOnlyCollection<KeyValuePair<ForeignPlace, ForeignXml>>)[];

    /// <summary>Null where there is nothing, as at nearly every place.</summary>
    public ForeignXml? this[string element, string item = ""] =>
        _parts is not null && _parts.TryGetValue(new ForeignPlace(element, item), out ForeignXml? found) ? found : null;

    /// <summary>Adds to what there is already at that place.</summary>
    public void Add(string element, string item, ForeignXml? foreign)
    {
        if (foreign is not null)
        {
            ForeignXml? first = this[element, item];
            (_parts ??= [])[new ForeignPlace(element, item)] = first is null ? foreign : first.With(foreign);
        }
    }
}
