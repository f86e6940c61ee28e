using Microsoft.Extensions.Logging;
using Qubes.Extensions.OutOfProcess.Policy;
using Qubes.Lifecycle.Hypervisors;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Storage;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>What extensions work with, the same for all of them.</summary>
public sealed class ExtensionEnvironment
{
    public required QubesApp App { get; init; }

    public required ModelLoop Loop { get; init; }

    public required StorageService Storage { get; init; }

    public required QubesPaths Paths { get; init; }

    public required ILoggerFactory Loggers { get; init; }

    /// <summary>The program that runs services in qubes; null where there is none.</summary>
    public string? QrexecClientProgram { get; init; }

    /// <summary>Whom that program runs as; null: as we.</summary>
    public DaemonAccount? Account { get; init; }

    /// <summary>What policy says; null where there is none.</summary>
    public IPolicyAdviser? Policy { get; init; }

    /// <summary>Looks at domains; null until it is connected.</summary>
    public Func<IHypervisor?> Hypervisor { get; init; } = static () => null;

    public ExtensionLimits Limits { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
