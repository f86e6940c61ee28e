using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Qubes.Model.Properties;

namespace Qubes.Admin.State;

/// <summary>Which parts a <see cref="StateFragment"/> has, in order: plain members, one part a property, plain members.</summary>
internal sealed class FragmentLayout
{
    // The last members of a qube, in order.
    private static readonly (string Name, QubeSections Section)[] Sections =
    [
        ("devices", QubeSections.Devices), ("attached", QubeSections.Attached), ("firewall", QubeSections.Firewall), ("notes", QubeSections.Notes),
    ];

    private static readonly ConcurrentDictionary<PropertyTable, FragmentLayout> Known = new();
    private readonly int _firstSection;

    private FragmentLayout(PropertyTable properties, bool isQube)
    {
        Before = isQube ? ["power_state"] : [];
        After = isQube ? ["features", "tags", .. Sections.Select(s => s.Name)] : ["labels", "pools"];
        Properties = properties.InListOrder;
        Heads = [.. Properties.Select(p => Encoding.ASCII.GetBytes($$"""{"type":"{{p.TypeWord}}","value":"""))];
        Names = [.. Before, .. Properties.Select(p => p.Name), .. After];
        _firstSection = isQube ? Names.Length - Sections.Length : Names.Length;
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

    /// <summary>Which section a part belongs to.</summary>
    public QubeSections SectionOf(int part) => part < _firstSection ? QubeSections.Base : Sections[part - _firstSection].Section;

    public bool IsProperty(int part) => part >= Before.Length && part < Before.Length + Properties.Length;
}
