namespace Qubes.Admin.Methods;

/// <summary>What a call is about, for the default policy.</summary>
public enum AdminScope
{
    /// <summary>Not subject to policy: a call among the daemon's own parts.</summary>
    None,

    /// <summary>The whole system.</summary>
    Global,

    /// <summary>One qube.</summary>
    Local,
}
