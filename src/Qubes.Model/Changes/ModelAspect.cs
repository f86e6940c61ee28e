namespace Qubes.Model.Changes;

/// <summary>The kinds of things the model is made of, as far as values are derived from them.</summary>
public enum ModelAspect
{
    /// <summary>The explicit value of one property.</summary>
    Property,

    /// <summary>One feature; with an empty name, which features there are.</summary>
    Feature,
    Tags,
    Devices,
    Volumes,

    /// <summary>What is known of the running qube; never saved.</summary>
    Runtime,

    /// <summary>Which devices a running qube has at the moment; never saved.</summary>
    Attachments,

    /// <summary>The firewall rules, which have a file of their own.</summary>
    Firewall,

    /// <summary>The notes, which have a file of their own.</summary>
    Notes,
    Labels,
    Pools,

    /// <summary>Whether there is a qube of a name.</summary>
    Qubes,
}
