using Qubes.Admin.Calls;
using Qubes.Admin.Server;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Protocol.Admin;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Events;

namespace Qubes.Admin.Streams;

/// <summary>
/// <c>admin.vm.Stats</c>: what the running qubes use, every <c>stats_interval</c> seconds. The figures are those of the last
/// look at the hypervisor; nobody waits for it here.
/// </summary>
internal static class StatsStream
{
    // Less than a second would only repeat what was looked at; more than a day is a typing error.
    private const int ShortestInterval = 1;
    private const int LongestInterval = 86400;

    public static async ValueTask SendAsync(AdminCall call)
    {
        AdminFilters filters = call.Permit();
        using CancellationTokenSource gone = new();
        AdminEventSink stream = call.BeginStream(gone.Cancel);
        ReplyBuffer buffer = new();
        AdminReplyWriter.BeginEvent(buffer, "", "connection-established");
        AdminReplyWriter.EndEvent(buffer);
        stream.Send(buffer.Written);
        while (stream.IsOpen)
        {
            foreach (QubesVM qube in Reported(call))
            {
                if (filters.Allows(qube.Name.Value))
                {
                    Write(buffer, qube);
                    stream.Send(buffer.Written);
                }
            }

            try
            {
                await Task.Delay(Interval(call.App), call.Services.Clock, gone.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static TimeSpan Interval(QubesApp app) =>
        TimeSpan.FromSeconds(Math.Clamp(QubesAppProperties.StatsInterval.Get(app), ShortestInterval, LongestInterval));

    /// <summary>On dom0 all running qubes in the order of their numbers, else the one the call is about.</summary>
    private static QubesVM[] Reported(AdminCall call)
    {
        if (call.Destination is AdminVM)
        {
            return call.App.Domains.OfType<QubesVM>().Where(qube => qube.IsRunning).OrderBy(qube => qube.Runtime.Xid).ToArray();
        }

        if (!call.Destination.IsInCollection)
        {
            throw QubesErrors.VMNotFound(call.Destination.Name);
        }

        return call.Destination is not QubesVM one ? throw QubesErrors.VM($"A {call.Destination.Klass} has no figures.")
            : one.IsRunning ? [one]
            : throw QubesErrors.VMNotRunning(one.Name);
    }

    // memory in KiB, cpu_time in ms since the start, cpu_usage in percent of all virtual CPUs
    private static void Write(ReplyBuffer buffer, QubesVM qube)
    {
        QubeRuntime runtime = qube.Runtime;
        buffer.Truncate(0);
        AdminReplyWriter.BeginEvent(buffer, qube.Name, "vm-stats");
        Pair("memory_kb", runtime.MemoryKiB);
        Pair("memory_assigned_total", runtime.MemoryKiB);
        Pair("memory_assigned_usable", runtime.MemoryKiB);
        Pair("memory_with_swap_used", runtime.MemoryKiB);
        Pair("cpu_time", runtime.CpuTimeMs);
        Pair("cpu_usage", runtime.CpuUsagePercent);
        Pair("online_vcpus", runtime.OnlineVCpus > 0 ? runtime.OnlineVCpus : qube.VCpus);
        AdminReplyWriter.EndEvent(buffer);

        void Pair(string key, long value) => AdminReplyWriter.WriteEventKeyword(buffer, key, EventValue.ToText(value));
    }
}
