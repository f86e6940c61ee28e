namespace Qubes.Admin.Methods;

/// <summary>What a call does. For the default policy, writing or executing makes it an <c>rwx</c> call.</summary>
[Flags]
public enum AdminAccess
{
    None = 0,
    Read = 1,
    Write = 2,
    Execute = 4,
}
