using Microsoft.Extensions.Logging;
using Qubes.Qrexec.Daemon.Guest;
using Qubes.Qrexec.Services;

namespace Qubes.Qrexec.Daemon;

/// <summary>What the parts of one daemon share. Nothing here changes while it runs, except the ports that are taken.</summary>
internal sealed class DaemonContext(DaemonOptions options, IGuestPort guest, ILogger log, GuestLog guestLog, CancellationToken stopping)
{
    public DaemonOptions Options { get; } = options;

    public IGuestPort Guest { get; } = guest;

    public ILogger Log { get; } = log;

    /// <summary>For lines a guest can cause.</summary>
    public GuestLog GuestLog { get; } = guestLog;

    /// <summary>Cancelled when the daemon ends.</summary>
    public CancellationToken Stopping { get; } = stopping;

    public PortTable Ports { get; } = new(options.DomainId);

    public PolicyClient Policy { get; } = new(options.Paths.PolicySocket, options.PolicyProgram, options.QubeName, log);

    public QubesdClient Qubesd { get; } = new(options.Paths.AdminSocket);

    public ServiceLookup Services { get; } = new(ServicePaths.FromEnvironment(options.Paths));
}
