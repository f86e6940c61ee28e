namespace Qubes.Protocol.Admin;

/// <summary>The bounds of the Admin API's private protocol.</summary>
public static class AdminLimits
{
    /// <summary>Most bytes of one request: header, its NUL and the payload together.</summary>
    public const int MaxRequestBytes = 65536;
}
