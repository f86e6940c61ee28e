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
    Labels,
    Pools,

    /// <summary>Whether there is a qube of a name.</summary>
    Qubes,
}
