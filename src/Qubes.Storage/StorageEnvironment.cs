using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Linux;

namespace Qubes.Storage;

/// <summary>What drivers need of the host.</summary>
public sealed class StorageEnvironment
{
    public required QubesPaths Paths { get; init; }

    public ILogger Log { get; init; } = NullLogger.Instance;

    public PoolDrivers Drivers { get; } = new();

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Whom the services run as that write imports; null: as we.</summary>
    public DaemonAccount? Account { get; init; }

    /// <summary>The program that merges and converts qcow2 images. Only <c>file-qcow2</c> needs it.</summary>
    public string QemuImg { get; init; } = "/usr/bin/qemu-img";
}
