using Qubes.Model.Properties;
using Qubes.Protocol.Names;

namespace Qubes.Model.Classes;

/// <summary>What a new qube of a class has beside the defaults: explicit, as if somebody had set it.</summary>
/// <param name="Properties">With values as <see cref="PropertyDefinition.Sanitise"/> makes them.</param>
/// <param name="Features">By name.</param>
/// <param name="Tags">In any order.</param>
public sealed record NewQubeContent(
    IReadOnlyList<(PropertyDefinition Property, object? Value)> Properties, IReadOnlyList<(FeatureName Name, string Value)> Features,
    IReadOnlyList<TagName> Tags)
{
    public static readonly NewQubeContent None = new([], [], []);
}
