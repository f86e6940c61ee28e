using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Qubes.Model.Properties;

namespace Qubes.Admin.State;

/// <summary>Which parts a <see cref="StateFragment"/> has, in order: plain members, one part a property, plain members.</summary>
internal sealed class FragmentLayout
{
    private static readonly ConcurrentDictionary<PropertyTable, FragmentLayout> Known = new();

    private FragmentLayout(PropertyTable properties, bool isQube)
    {
        Before = isQube ? ["power_state"] : [];
        After = isQube ? ["features", "tags", "devices"] : ["labels", "pools"];
        Properties = properties.InListOrder;
        Heads = [.. Properties.Select(p => Encoding.ASCII.GetBytes($$"""{"type":"{{p.TypeWord}}","value":"""))];
        Names = [.. Before, .. Properties.Select(p => p.Name), .. After];
    }

    /// <summary>Members before the properties.</summary>
    public ImmutableArray<string> Before { get; }

    public ImmutableArray<PropertyDefinition> Properties { get; }

    /// <summary>Members after the properties.</summary>
    public ImmutableArray<string> After { get; }

    /// <summary>The beginning of each property's object, up to its value.</summary>
    public ImmutableArray<byte[]> Heads { get; }

    /// <summary>The names of all parts.</summary>
    public ImmutableArray<string> Names { get; }

    public static FragmentLayout Of(PropertyTable properties, bool isQube) =>
        Known.GetOrAdd(properties, static (table, qube) => new FragmentLayout(table, qube), isQube);

    public bool IsProperty(int part) => part >= Before.Length && part < Before.Length + Properties.Length;
}
