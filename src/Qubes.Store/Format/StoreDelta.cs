using Qubes.Model.Classes;

namespace Qubes.Store.Format;

/// <summary>What of the store's text differs from what was last made durable.</summary>
internal sealed class StoreDelta
{
    /// <summary>Everything before the qubes; null when it is as before.</summary>
    public byte[]? Head { get; set; }

    /// <summary>The elements of qubes that are new or changed.</summary>
    public List<KeyValuePair<Qube, byte[]>> Changed { get; } = [];

    /// <summary>Qubes that are gone.</summary>
    public List<int> Removed { get; } = [];
}
