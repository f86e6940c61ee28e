using System.Buffers;
using System.Globalization;
using Qubes.Admin.Calls;
using Qubes.Model.Classes;

namespace Qubes.Admin.Handlers;

/// <summary>What is told of qubes: <c>admin.vm.List</c>, <c>admin.vm.CurrentState</c>.</summary>
internal static class QubeHandlers
{
    // <name> SP class=<class> SP state=<state> SP uuid=<uuid> LF
    public static void List(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        if (call.Destination is not AdminVM)
        {
            WriteQube(call, call.Destination, filters);
            return;
        }

        foreach (Qube qube in call.App.Domains)
        {
            WriteQube(call, qube, filters);
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

    private static void WriteQube(AdminCall call, Qube qube, AdminFilters filters)
    {
        if (!filters.Allows(qube))
        {
            return;
        }

        call.Write(qube.Name.Value);
        call.Reply.Write(" class="u8);
        call.Write(qube.Klass);
        call.Reply.Write(" state="u8);
        call.Write(PowerStateText.Of(qube.PowerState));
        call.Reply.Write(" uuid="u8);
        _ = qube.Uuid.Value.TryFormat(call.Reply.GetSpan(36), out int written, "D");
        call.Reply.Advance(written);
        call.Reply.Write("\n"u8);
    }
}
