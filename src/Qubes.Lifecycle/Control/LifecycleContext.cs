using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.DomainXml;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Lifecycle.Qrexec;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Storage;

namespace Qubes.Lifecycle.Control;

/// <summary>What the operations of the lifecycle share.</summary>
internal sealed class LifecycleContext
{
    // Keyed by the qube object, whose identity it is; goes with it.
    private readonly ConditionalWeakTable<QubesVM, QubeControl> _controls = [];

    public required QubesApp App { get; init; }

    public required ModelLoop Loop { get; init; }

    public required StorageService Storage { get; init; }

    public required IHypervisor Hypervisor { get; init; }

    public required QubesPaths Paths { get; init; }

    /// <summary>Null where guests have no qrexec.</summary>
    public required GuestServices? Services { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Log { get; init; }

    /// <inheritdoc cref="IQubeLifecycle.DisposableEnded"/>
    public Func<DispVM, Task>? DisposableEnded { get; set; }

    /// <inheritdoc cref="QubeLifecycle.ExtraDevices"/>
    public Func<QubesVM, string, Task<IReadOnlyList<ExtraDevice>>>? ExtraDevices { get; set; }

    public QubeControl ControlOf(QubesVM qube) => _controls.GetOrCreateValue(qube);

    public QubeStorage StorageOf(QubesVM qube) => Storage.ForQube(Volumes.QubeVolumePlan.Complete(this, qube));

    public string DirectoryOf(QubesVM qube) => Path.Combine(Paths.StateDirectory, qube.DirectoryName);
}
