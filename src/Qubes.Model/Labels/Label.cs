using Qubes.Protocol.Events;

namespace Qubes.Model.Labels;

/// <summary>A colour label. Equal by name.</summary>
/// <param name="Index">1 to 8 are built in.</param>
/// <param name="Name">The name qubes refer to.</param>
/// <param name="Color">The colour, <c>0xRRGGBB</c>, as it was written.</param>
public sealed record Label(int Index, string Name, string Color) : IEventValue
{
    /// <summary>The icon of the label itself, as the policy's system information carries it.</summary>
    public string Icon => "appvm-" + Name;

    /// <inheritdoc/>
    public string EventText => Name;

    public bool Equals(Label? other) => other is not null && other.Name == Name;

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);
}
