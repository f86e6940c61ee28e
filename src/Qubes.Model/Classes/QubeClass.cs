using Qubes.Model.Events;
using Qubes.Model.Properties;
using Qubes.Model.Volumes;

namespace Qubes.Model.Classes;

/// <summary>A class of qubes: its name, properties, level of events, and how instances are made. Immutable.</summary>
public sealed class QubeClass
{
    internal QubeClass(
        string name, EmitterClass emitter, PropertyTable properties, Func<QubesApp, QubeClass, QubeIdentity, Qube>? create, IReadOnlyList<VolumeConfig> volumes)
    {
        Name = name;
        Emitter = emitter;
        Properties = properties;
        Factory = create;
        Volumes = volumes;
        HasTemplate = properties.Contains("template");
        Root = this;
        Content = NewQubeContent.None;
    }

    private QubeClass(string name, QubeClass root, IReadOnlyList<PropertyDefinition> properties, NewQubeContent content)
        : this(name, EmitterClass.Derive(name, root.Emitter), new PropertyTable([.. root.Properties.InListOrder, .. properties]), root.Factory, root.Volumes)
    {
        Root = root;
        Content = content;
    }

    public string Name { get; }

    public EmitterClass Emitter { get; }

    public PropertyTable Properties { get; }

    /// <summary>The class has a property <c>template</c>.</summary>
    public bool HasTemplate { get; }

    /// <summary>The volumes of a new qube, before pools and ids are chosen; empty if the class has none.</summary>
    public IReadOnlyList<VolumeConfig> Volumes { get; }

    /// <summary>The class of the daemon that this one is a kind of; itself for those.</summary>
    public QubeClass Root { get; }

    /// <summary>What a new qube has beside the defaults.</summary>
    public NewQubeContent Content { get; }

    /// <summary>Makes an instance; null for dom0, of which there is one.</summary>
    internal Func<QubesApp, QubeClass, QubeIdentity, Qube>? Factory { get; }

    /// <summary>
    /// A class somebody else brings: its qubes are those of <paramref name="root"/> in all the daemon does with them, under another name, with
    /// further properties and with contents of their own at the beginning.
    /// </summary>
    /// <param name="name">Not that of another class.</param>
    /// <param name="root">A class of the daemon whose qubes are domains.</param>
    /// <param name="properties">Properties the root does not have.</param>
    /// <param name="content">What a new qube gets.</param>
    public static QubeClass Derive(string name, QubeClass root, IReadOnlyList<PropertyDefinition> properties, NewQubeContent? content = null)
    {
        ArgumentNullException.ThrowIfNull(root);
        return root.Volumes.Count > 0 && root.Root == root
            ? new QubeClass(name, root, properties, content ?? NewQubeContent.None)
            : throw new ArgumentException($"a class cannot be a kind of {root.Name}", nameof(root));
    }

    public override string ToString() => Name;
}
