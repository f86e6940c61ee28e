using Qubes.Admin.Calls;
using Qubes.Model.Classes;

namespace Qubes.Admin.State;

/// <summary>From the filters of a permission event to the sections they let pass.</summary>
internal static class SectionFilters
{
    private static readonly QubeSections[] Single = [QubeSections.Devices, QubeSections.Attached, QubeSections.Firewall, QubeSections.Notes];

    public static QubeSections SectionsOf(this AdminFilters filters, Qube qube)
    {
        if (filters.AllowsAll)
        {
            return QubeSections.All;
        }

        if (!filters.Allows(qube))
        {
            return QubeSections.None;
        }

        QubeSections sections = QubeSections.Base;
        foreach (QubeSections section in Single)
        {
            sections |= filters.Allows(new QubeSection(qube, section)) ? section : QubeSections.None;
        }

        return sections;
    }
}
