using System.Globalization;
using System.Text;
using Qubes.Admin.Methods;
using Qubes.Admin.Server;

namespace Qubes.Admin.Documents;

/// <summary>
/// The policy file for the API, made from the method table: each call is decided by one of the four include files, which
/// allow nothing until an administrator writes to them.
/// </summary>
public static class PolicyDocuments
{
    /// <summary>The name of the generated file in the policy directory.</summary>
    public const string DefaultFile = "90-admin-default.policy";

    public static string WriteDefault(AdminMethodTable methods)
    {
        StringBuilder text = new("""
            ## Made from qubesd's table of calls. Changes are lost with the next version: put your own lines into a file with a
            ## lower number, or into the files this one includes.

            """);
        foreach (string service in AdminMethods.ProgramServices)
        {
            text.Append(CultureInfo.InvariantCulture, $"!include-service {service} * include/admin-local-rwx\n");
        }

        foreach (AdminMethod method in methods.All.Where(m => m.Socket == AdminSocketKind.Admin && !m.NotInPolicy))
        {
            text.Append(CultureInfo.InvariantCulture, $"!include-service {method.Name} * {method.PolicyInclude}\n");
        }

        return text.ToString();
    }
}
