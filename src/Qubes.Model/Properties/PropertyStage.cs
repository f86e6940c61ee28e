namespace Qubes.Model.Properties;

/// <summary>When a property is read from the store; the first key of the list order.</summary>
public enum PropertyStage
{
    /// <summary>With the qube itself.</summary>
    Qube = 2,

    /// <summary>Global properties, once all qubes exist.</summary>
    Application = 3,

    /// <summary>What refers to other qubes or to global properties.</summary>
    References = 4,
}
