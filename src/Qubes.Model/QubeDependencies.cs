using Qubes.Model.Classes;
using Qubes.Model.Properties;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Text;

namespace Qubes.Model;

/// <summary>What keeps a qube from being removed.</summary>
public static class QubeDependencies
{
    /// <summary>
    /// The properties that refer to the qube, as <c>HOLDER:PROPERTY</c> (<c>@GLOBAL</c> for the application): explicit ones of other
    /// qubes, and those of the application even if they are default.
    /// </summary>
    public static IReadOnlyList<string> FindReferences(Qube qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        List<string> found = [];
        foreach (PropertyDefinition property in qube.App.Properties.References)
        {
            if (RefersTo(property, qube.App, qube))
            {
                found.Add("@GLOBAL:" + property.Name);
            }
        }

        foreach (Qube other in qube.App.Domains)
        {
            if (other == qube)
            {
                continue;
            }

            foreach (PropertyDefinition property in other.Properties.References)
            {
                if (property.IsExplicit(other) && RefersTo(property, other, qube) && !GoesWith(other, qube))
                {
                    found.Add($"{other.Name}:{property.Name}");
                }
            }
        }

        return found;
    }

    /// <exception cref="QubesException"><c>QubesVMInUseError</c>.</exception>
    public static void RefuseIfUsed(Qube qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        if (FindReferences(qube).Count > 0)
        {
            throw QubesErrors.VMInUse(
                qube.Name, $"Domain is in use: {PythonText.Repr(qube.Name)};  see 'journalctl -u qubesd -e' in dom0 for details");
        }

        List<string> ports = FindAssignedPorts(qube);
        if (ports.Count > 0)
        {
            throw QubesErrors.VMInUse(qube.Name, $"VM has devices assigned to other VMs: {string.Join(", ", ports)}");
        }
    }

    /// <summary>The ports of the qube that are assigned to other qubes.</summary>
    private static List<string> FindAssignedPorts(Qube qube) =>
    [
        .. qube.App.Domains.OfType<LocalQube>().Where(other => other != qube)
            .SelectMany(other => other.Devices.All)
            .Where(assignment => assignment.Backend == qube.Name.Value)
            .Select(assignment => assignment.Port),
    ];

    /// <summary>A disposable that waits for its use goes when its template does.</summary>
    private static bool GoesWith(Qube other, Qube template) => other is DispVM { IsPreload: true } && other.Template == template;

    private static bool RefersTo(PropertyDefinition property, PropertyHolder holder, Qube qube) =>
        property.TryGetObject(holder, out object? value) && value == qube;
}
