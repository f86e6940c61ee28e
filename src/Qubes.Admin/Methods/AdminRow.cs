namespace Qubes.Admin.Methods;

/// <summary>Beginnings of rows.</summary>
internal static class AdminRow
{
    public const AdminAccess Reads = AdminAccess.Read;
    public const AdminAccess Writes = AdminAccess.Read | AdminAccess.Write;
    public const AdminAccess Executes = AdminAccess.Read | AdminAccess.Execute;

    /// <summary>A call about the system: its destination is dom0.</summary>
    public static AdminMethod Global(string name, AdminAccess access) => new(name)
    {
        Destination = AdminDestination.AdminVM, Scope = AdminScope.Global, Access = access, Help = "",
    };

    /// <summary>A call about the qube that is its destination.</summary>
    public static AdminMethod Local(string name, AdminAccess access) => new(name)
    {
        Scope = AdminScope.Local, Access = access, Help = "",
    };
}
