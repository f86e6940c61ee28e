namespace Qubes.Qrexec.QubesDb;

/// <summary>The vchan port of the database.</summary>
public static class QubesDbPort
{
    /// <summary>The host serves it, the guest connects.</summary>
    public const uint Number = 111;
}
