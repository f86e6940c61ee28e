using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Storage;

namespace Qubes.Lifecycle;

/// <summary>
/// What the Admin API asks of the layer that makes, runs and removes qubes. All of it is called on the model loop, returns there,
/// and re-checks after its waits what it relied on. Errors are those callers know.
/// </summary>
public interface IQubeLifecycle
{
    /// <summary>
    /// What becomes of a disposable that has stopped, or could not be started. Called when the qube is halted, outside of its start:
    /// it may remove the qube. Whoever stopped or started the disposable waits for it.
    /// </summary>
    Func<DispVM, Task>? DisposableEnded { get; set; }

    /// <summary>
    /// Makes the directory and volumes of a qube that was just added to the model, inside the change that is open; fires
    /// <c>domain-create-on-disk</c>. After a failure nothing is left on disk.
    /// </summary>
    /// <param name="qube">The new qube.</param>
    /// <param name="pool">The pool for the volumes the class itself makes; null for the defaults.</param>
    /// <param name="pools">Pools of single volumes.</param>
    Task CreateOnDiskAsync(Qube qube, string? pool, IReadOnlyDictionary<string, string> pools);

    /// <summary>Takes back <see cref="CreateOnDiskAsync"/>: what came after it failed.</summary>
    Task DiscardAsync(Qube qube);

    /// <summary>The store has the qube: what <see cref="CreateOnDiskAsync"/> made is no longer provisional.</summary>
    Task ConfirmAsync(Qube qube);

    /// <summary>
    /// Removes a qube with its volumes: checks, drops it from the model, commits, then deletes. Waits for a start under way.
    /// </summary>
    /// <param name="qube">The qube, which has to be halted.</param>
    /// <param name="dropAndCommit">Drops it from the model and makes that durable.</param>
    /// <param name="isCheckedLast">
    /// Whether it may be removed (<see cref="QubeCollection.CheckRemovable"/>) is for <paramref name="dropAndCommit"/> to find out, since only what
    /// it changes as well may make it so.
    /// </param>
    Task RemoveAsync(Qube qube, Func<Task> dropAndCommit, bool isCheckedLast = false);

    Task StartAsync(Qube qube);

    Task ShutdownAsync(Qube qube, bool force, bool wait);

    Task KillAsync(Qube qube);

    Task PauseAsync(Qube qube);

    Task UnpauseAsync(Qube qube);

    /// <summary>Lets the guest suspend to its memory; where it cannot, the qube is paused.</summary>
    Task SuspendAsync(Qube qube);

    /// <summary>Wakes a suspended qube; a paused one goes on.</summary>
    Task ResumeAsync(Qube qube);

    /// <summary>Before the host suspends: suspends all qubes, remembering those that were paused already.</summary>
    Task SuspendAllAsync();

    /// <summary>After it: resumes the others.</summary>
    Task ResumeAllAsync();

    /// <summary>The terminal device of a running qube's console; empty if it has none.</summary>
    Task<string> FindConsoleAsync(Qube qube);

    /// <summary>Gives a volume's data, and the disk of the running qube, another size in bytes. The configuration is the caller's.</summary>
    Task ResizeVolumeAsync(QubesVM qube, string volume, long size);

    /// <summary>Lets a running guest fit its file system to the volume's new size.</summary>
    Task ResizeVolumeInGuestAsync(QubesVM qube, string volume);

    /// <summary>The volumes of a qube, with pools, ids and sources filled in.</summary>
    QubeStorage StorageOf(QubesVM qube);
}
