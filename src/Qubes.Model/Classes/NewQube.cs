using Qubes.Model.Labels;
using Qubes.Model.Properties;
using Qubes.Protocol.Names;

namespace Qubes.Model.Classes;

/// <summary>What a new qube is made of.</summary>
public sealed record NewQube
{
    public required QubeClass Class { get; init; }

    public required QubeName Name { get; init; }

    public required Label Label { get; init; }

    /// <summary>Null: the system's default template, for classes that have templates.</summary>
    public Qube? Template { get; init; }

    /// <summary>Null: the lowest free one.</summary>
    public int? Qid { get; init; }

    /// <summary>Null: a random one.</summary>
    public QubeUuid? Uuid { get; init; }

    /// <summary>Further properties with values of their type (or as <see cref="PropertyDefinition.Sanitise"/> makes them).</summary>
    public IReadOnlyList<(PropertyDefinition Property, object? Value)> Properties { get; init; } = [];
}
