using Qubes.Model.Foreign;

namespace Qubes.Store.Format;

/// <summary>One pool as written: all its attributes, in order.</summary>
internal sealed record StoredPool(IReadOnlyList<KeyValuePair<string, string>> Attributes, ForeignXml? Foreign)
{
    public string Name => Attribute("name");

    public string Driver => Attribute("driver");

    private string Attribute(string name) => Attributes.FirstOrDefault(a => a.Key == name).Value ?? "";
}
