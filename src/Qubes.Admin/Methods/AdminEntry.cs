namespace Qubes.Admin.Methods;

/// <summary>How a qube reaches a call through qrexec.</summary>
public enum AdminEntry
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>A symbolic link in the service directory leads to the socket.</summary>
    Link,

    /// <summary>A program in the service directory makes the call.</summary>
    Program,
}
