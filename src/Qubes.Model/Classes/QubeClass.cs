using Qubes.Model.Events;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;

namespace Qubes.Model.Classes;

/// <summary>A class of qubes: its name, properties, level of events, and how instances are made.</summary>
public sealed class QubeClass
{
    internal QubeClass(
        string name, EmitterClass emitter, PropertyTable properties, Func<QubesApp, QubeIdentity, Qube>? create, IReadOnlyList<VolumeConfig> volumes)
    {
        Name = name;
        Emitter = emitter;
        Properties = properties;
        Factory = create;
        Volumes = volumes;
        HasTemplate = properties.Contains("template");
    }

    public string Name { get; }

    public EmitterClass Emitter { get; }

    public PropertyTable Properties { get; }

    /// <summary>The class has a property <c>template</c>.</summary>
    public bool HasTemplate { get; }

    /// <summary>The volumes of a new qube, before pools and ids are chosen; empty if the class has none.</summary>
    public IReadOnlyList<VolumeConfig> Volumes { get; }

    /// <summary>Makes an instance; null for dom0, of which there is one.</summary>
    internal Func<QubesApp, QubeIdentity, Qube>? Factory { get; }

    public override string ToString() => Name;
}
