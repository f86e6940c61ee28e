using Qubes.Protocol.Errors;

namespace Qubes.Storage;

/// <summary>
/// A driver that is not part of the daemon. Each request carries pool and volume with their whole configuration: the driver keeps data, never
/// settings. Of two requests for one volume the second begins when the first has ended. A request either happens as a whole or not at all, also
/// when whoever runs the driver dies over it. Thread-safe.
/// </summary>
/// <remarks>
/// Every method throws <see cref="QubesException"/>: what the driver says against it; with a <see cref="DriverGoneException"/> inside when there is
/// no answer, so that it is not known what became of the request; with a <see cref="FormatException"/> inside when the answer makes no sense.
/// </remarks>
public interface IExternalDriver
{
    /// <summary>Prepares a new pool's place.</summary>
    Task SetupAsync(Pool pool);

    /// <summary>Finishes or takes back what was interrupted. Done before the first other request of each run of the driver, at the latest.</summary>
    Task OpenAsync(Pool pool);

    /// <summary>The pool is no longer configured. Its data stays.</summary>
    Task CloseAsync(Pool pool);

    /// <summary>Null when the driver does not know.</summary>
    Task<PoolUsage?> GetUsageAsync(Pool pool);

    /// <summary>The ids of all volumes there are.</summary>
    Task<IReadOnlyList<string>> ListVidsAsync(Pool pool);

    /// <summary>Makes an origin's first state, zeros.</summary>
    Task CreateAsync(Volume volume);

    /// <summary>Nothing there is fine.</summary>
    Task RemoveAsync(Volume volume);

    /// <summary>The path of the file or block device to give to the qube.</summary>
    Task<string> StartAsync(Volume volume);

    /// <summary>Not started is fine.</summary>
    Task StopAsync(Volume volume);

    Task VerifyAsync(Volume volume);

    Task<ResizeOutcome> ResizeAsync(Volume volume, long size);

    /// <summary>The path of the last committed state, stable until <see cref="EndExportAsync"/>.</summary>
    Task<string> ExportAsync(Volume volume);

    Task EndExportAsync(Volume volume, string path);

    /// <summary>The path of zeros to write new content to.</summary>
    Task<string> BeginImportAsync(Volume volume, long size);

    Task EndImportAsync(Volume volume, bool success);

    /// <summary>Replaces the content by that of a file or block device.</summary>
    /// <param name="path">What to read.</param>
    /// <param name="source">The volume it is an export of, if that one is of the same driver: there may be a shorter way.</param>
    Task ImportAsync(Volume volume, string path, Volume? source);

    Task<IReadOnlyList<VolumeRevision>> ListRevisionsAsync(Volume volume);

    Task RevertAsync(Volume volume, string? revision);

    Task<VolumeStatus> GetStatusAsync(Volume volume);
}
