using System.Globalization;
using Qubes.Model.Classes;

namespace Qubes.Extensions;

/// <summary>The hypervisor's number of a qube, as guests are told it.</summary>
internal static class DomainNumber
{
    /// <summary>dom0's is 0; of a qube that does not run -1.</summary>
    public static string Of(LocalQube qube) =>
        (qube is QubesVM vm ? QubesVMProperties.Xid.Get(vm) : 0).ToString(CultureInfo.InvariantCulture);
}
