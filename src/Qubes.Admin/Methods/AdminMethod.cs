using Qubes.Admin.Calls;
using Qubes.Admin.Server;

namespace Qubes.Admin.Methods;

/// <summary>One call of the API: a row of <see cref="AdminMethodTable"/>.</summary>
public sealed record AdminMethod
{
    /// <param name="name">The full name, such as <c>admin.vm.Start</c>.</param>
    public AdminMethod(string name)
    {
        Name = name;
        PermissionEvent = "admin-permission:" + name;
        Socket = name.StartsWith("admin.", StringComparison.Ordinal) ? AdminSocketKind.Admin
            : name.StartsWith("internal.", StringComparison.Ordinal) ? AdminSocketKind.Internal
            : AdminSocketKind.Misc;
    }

    public string Name { get; }

    /// <summary>The socket on which it exists.</summary>
    public AdminSocketKind Socket { get; }

    /// <summary>The name of the event by which handlers are asked for permission.</summary>
    public string PermissionEvent { get; }

    public AdminDestination Destination { get; init; }

    public AdminPart Argument { get; init; }

    public AdminPart Payload { get; init; }

    public AdminScope Scope { get; init; }

    public AdminAccess Access { get; init; } = AdminAccess.Read;

    /// <summary>The reply is a stream of events that ends with the connection.</summary>
    public bool IsStream { get; init; }

    public AdminEntry Entry { get; init; } = AdminEntry.Link;

    /// <summary>Has no line in the generated default policy.</summary>
    public bool NotInPolicy { get; init; }

    /// <summary>One line for people.</summary>
    public required string Help { get; init; }

    /// <summary>What the reply contains, for people.</summary>
    public string Result { get; init; } = "";

    /// <summary>What the call does, if that needs no wait. A method has this or <see cref="Handler"/>.</summary>
    public AdminAnswer? Answer { get; init; }

    /// <summary>What the call does, if that needs waits.</summary>
    public AdminHandler? Handler { get; init; }

    internal ValueTask InvokeAsync(AdminCall call)
    {
        if (Answer is null)
        {
            return Handler is null ? throw new InvalidOperationException($"{Name} has no handler") : Handler(call);
        }

        Answer(call);
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Only calls among the daemon's own parts act without the permission event; for all others, not having asked is a defect
    /// that fails the call.
    /// </summary>
    public bool NeedsPermission => Socket == AdminSocketKind.Admin;

    /// <summary>The include file of the default policy that decides the call.</summary>
    public string PolicyInclude =>
        $"include/admin-{(Scope == AdminScope.Global ? "global" : "local")}-{((Access & (AdminAccess.Write | AdminAccess.Execute)) != AdminAccess.None ? "rwx" : "ro")}";
}
