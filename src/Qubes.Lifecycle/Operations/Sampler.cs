using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Control;
using Qubes.Libvirt;
using Qubes.Model.Classes;
using Qubes.Protocol.Names;

namespace Qubes.Lifecycle.Operations;

/// <summary>Memory and processor use of running qubes, looked at for all of them in one call from time to time.</summary>
internal sealed class Sampler(LifecycleContext context)
{
    // Console logs are cut back here too: it is the one thing that looks at running qubes regularly.
    private readonly ConsoleLogLimiter _consoles = new(context.Paths);

    /// <summary>Runs on the model loop until cancelled.</summary>
    internal async Task RunAsync(TimeSpan period, CancellationToken cancellationToken)
    {
        using PeriodicTimer timer = new(period, context.Time);
        bool failed = false;
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                QubesVM[] running = [.. context.App.Domains.OfType<QubesVM>().Where(qube => qube.IsRunning)];
                if (running.Length == 0)
                {
                    continue;
                }

                try
                {
                    await SampleAsync(period);
                    await _consoles.LimitAsync([.. running.Select(qube => qube.Name.Value)]);
                    failed = false;
                }
                catch (Exception failure) when (failure is LibvirtException or LaneTimeoutException or IOException or UnauthorizedAccessException)
                {
                    // Said once, until it works again.
                    if (!failed)
                    {
                        context.Log.LogWarning(failure, "The running qubes could not be looked at");
                    }

                    failed = true;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task SampleAsync(TimeSpan period)
    {
        foreach (DomainSample sample in await context.Hypervisor.GetAllAsync())
        {
            if (sample.IsActive && context.App.Domains.TryGet(new QubeUuid(sample.Uuid), out Qube? found) && found is QubesVM { IsRunning: true } qube)
            {
                Take(qube.Runtime, sample, period);
            }
        }
    }

    private static void Take(QubeRuntime runtime, DomainSample sample, TimeSpan period)
    {
        long cpuTime = (long)(sample.CpuTimeNanoseconds / 1_000_000);
        long used = Math.Max(cpuTime - runtime.CpuTimeMs, 0);
        // The first sample has nothing to be compared with.
        runtime.CpuUsagePercent = runtime.CpuTimeMs == 0
            ? 0
            : (int)(used * 100 / (long)period.TotalMilliseconds / Math.Max(sample.VirtualCpus, 1));
        runtime.CpuTimeMs = cpuTime;
        runtime.OnlineVCpus = (int)sample.VirtualCpus;
        if (sample.MemoryKiB > 0)
        {
            runtime.MemoryKiB = (long)sample.MemoryKiB;
        }
    }
}
