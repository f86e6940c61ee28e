namespace Qubes.Admin.Methods;

/// <summary>Whether a call takes an argument or a payload.</summary>
public enum AdminPart
{
    /// <summary>It is refused.</summary>
    None,
    Optional,
    Required,
}
