using System.Globalization;
using System.Text;
using Qubes.Admin.Methods;
using Qubes.Admin.Server;

namespace Qubes.Admin.Documents;

/// <summary>The reference of all calls, made from the method table.</summary>
public static class ApiDocument
{
    private const string Introduction = """
        # Admin API reference

        Made from the method table of `qubesd` (`qubesd --print-api-docs`); a test proves that it is current.
        The protocol itself is described in [socket-api.md](socket-api.md).

        - **Destination**: the qube a call is made on. `dom0` means only the host, `not dom0` any other qube, `any` both.
        - **Argument**, **payload**: `-` is refused, `?` optional, `!` required.
        - **Default policy**: the include file in `/etc/qubes/policy.d/include/` that decides the call for other qubes;
          `none` means that a qube cannot make the call at all, `90-default.policy` that every qube can.

        Every call can also fail with the errors of the protocol (socket-api.md).

        """;

    public static string Write(AdminMethodTable methods)
    {
        StringBuilder text = new(Introduction);
        Section(text, methods, AdminSocketKind.Admin, "Calls on `qubesd.sock`");
        Section(text, methods, AdminSocketKind.Internal, "Calls on `qubesd.internal.sock`");
        Section(text, methods, AdminSocketKind.Misc, "Calls on `qubesd.misc.sock`");
        return text.ToString();
    }

    private static void Section(StringBuilder text, AdminMethodTable methods, AdminSocketKind socket, string title)
    {
        AdminMethod[] rows = [.. methods.All.Where(m => m.Socket == socket)];
        if (rows.Length == 0)
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n");
        text.Append("| Call | Destination | Argument | Payload | Does | Result | Default policy |\n|---|---|---|---|---|---|---|\n");
        foreach (AdminMethod m in rows)
        {
            string policy = m.Socket == AdminSocketKind.Misc ? "90-default.policy" : m.NotInPolicy || m.Scope == AdminScope.None ? "none" : m.PolicyInclude["include/".Length..];
            text.Append(CultureInfo.InvariantCulture,
                $"| `{m.Name}` | {Destination(m)} | {Part(m.Argument)} | {Part(m.Payload)} | {Cell(m.Help)} | {Cell(m.Result)} | {policy} |\n");
        }
    }

    private static string Destination(AdminMethod method) => method.Destination switch
    {
        AdminDestination.AdminVM => "dom0",
        AdminDestination.NotAdminVM => "not dom0",
        _ => "any",
    };

    private static string Part(AdminPart part) => part switch
    {
        AdminPart.Required => "!",
        AdminPart.Optional => "?",
        _ => "-",
    };

    private static string Cell(string text) => text.Length == 0 ? "empty" : text.Replace("|", "\\|", StringComparison.Ordinal);
}
