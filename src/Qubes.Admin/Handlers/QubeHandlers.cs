using System.Globalization;
using Qubes.Admin.Calls;
using Qubes.Model.Classes;

namespace Qubes.Admin.Handlers;

/// <summary>What is told of qubes: <c>admin.vm.List</c>, <c>admin.vm.CurrentState</c>.</summary>
internal static class QubeHandlers
{
    public static void List(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        if (call.Destination is not AdminVM)
        {
            if (filters.Allows(call.Destination))
            {
                QubeListing.WriteLine(call.Reply, call.Destination);
            }
        }
        else if (filters.AllowsAll)
        {
            call.Services.Listing.WriteAll(call.Reply);
        }
        else
        {
            foreach (Qube qube in call.App.Domains)
            {
                if (!qube.IsBeingMade && filters.Allows(qube))
                {
                    QubeListing.WriteLine(call.Reply, qube);
                }
            }
        }
    }

    // mem=<KiB> SP mem_static_max=<KiB> SP cputime=<ns> SP power_state=<state>
    public static void CurrentState(AdminCall call)
    {
        call.Permit();
        (long memory, long maximum, long cpuTime) = call.Destination switch
        {
            QubesVM { IsRunning: true } qube => (qube.Runtime.MemoryKiB, qube.MaxMem * 1024L, qube.Runtime.CpuTimeMs * 1_000_000),
            AdminVM => (call.App.Host.MemoryMiB * 1024L, call.App.Host.MemoryMiB * 1024L, 0),
            _ => default,
        };
        call.Write(string.Create(CultureInfo.InvariantCulture,
            $"mem={memory} mem_static_max={maximum} cputime={cpuTime} power_state={PowerStateText.Of(call.Destination.PowerState)}"));
    }
}
