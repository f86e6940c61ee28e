namespace Qubes.Admin.Server;

/// <summary>The three sockets. A call of one does not exist on the others.</summary>
public enum AdminSocketKind
{
    /// <summary><c>qubesd.sock</c>: <c>admin.*</c>.</summary>
    Admin,

    /// <summary><c>qubesd.internal.sock</c>: <c>internal.*</c>.</summary>
    Internal,

    /// <summary><c>qubesd.misc.sock</c>: the <c>qubes.*</c> services that end in the daemon.</summary>
    Misc,
}
