using System.Globalization;
using System.Text;
using Qubes.Admin.Methods;
using Qubes.Admin.Server;

namespace Qubes.Admin.Documents;

/// <summary>
/// The policy files for the API, made from the method table. By default everything is denied: an administrator adds lines to
/// the <c>-rwx</c> or <c>-ro</c> files, and what allows writing allows reading too.
/// </summary>
public static class PolicyDocuments
{
    private static readonly string[] Scopes = ["global", "local"];

    /// <summary>The files by their path beneath the policy directory.</summary>
    public static IReadOnlyDictionary<string, string> Write(AdminMethodTable methods)
    {
        Dictionary<string, string> files = new(StringComparer.Ordinal)
        {
            ["90-admin-default.policy"] = Default(methods),
            ["91-admin-default-deny.policy"] = SilentDenials(),
        };
        foreach (string scope in Scopes)
        {
            files[$"include/admin-{scope}-rwx"] = $"""
                ## Who may change {About(scope)} through the Admin API. What is allowed here is allowed for
                ## the calls that only read as well. Lines have the form
                ##   SOURCE  TARGET  allow target=dom0
                ## and are included for each such call by 90-admin-default.policy.

                """;
            files[$"include/admin-{scope}-ro"] = $"""
                ## Who may read {About(scope)} through the Admin API. Lines have the form
                ##   SOURCE  TARGET  allow target=dom0
                ## and are included for each such call by 90-admin-default.policy.
                !include include/admin-{scope}-rwx

                """;
        }

        return files;
    }

    private static string Default(AdminMethodTable methods)
    {
        StringBuilder text = new("""
            ## Made from qubesd's table of calls. Changes are lost with the next version: put your own lines into a file with a
            ## lower number, or into the files this one includes.

            """);
        foreach (AdminMethod method in methods.All.Where(m => m.Socket == AdminSocketKind.Admin && !m.NotInPolicy))
        {
            text.Append(CultureInfo.InvariantCulture, $"!include-service {method.Name} * {method.PolicyInclude}\n");
        }

        return text.ToString();
    }

    private static string SilentDenials() => """
        ## Clients try these first and fall back to single calls: no need to tell anyone that they were refused.
        admin.vm.property.GetAll  *  @anyvm  @anyvm    deny notify=no
        admin.vm.property.GetAll  *  @anyvm  @adminvm  deny notify=no
        admin.property.GetAll     *  @anyvm  @anyvm    deny notify=no
        admin.property.GetAll     *  @anyvm  @adminvm  deny notify=no

        """;

    private static string About(string scope) => scope == "global" ? "the whole system" : "single qubes";
}
