using Qubes.Lifecycle;
using Qubes.Model.Classes;
using Qubes.Model.Volumes;
using Qubes.Storage;

namespace Qubes.Admin.Tests;

/// <summary>A lifecycle layer that only notes what it was asked, and fails when told to.</summary>
internal sealed class ScriptedLifecycle : IQubeLifecycle
{
    public required StorageService Storage { get; init; }

    public List<string> Asked { get; } = [];

    /// <summary>Thrown by the next calls.</summary>
    public Exception? Failure { get; set; }

    /// <summary>What the next calls wait for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public Func<DispVM, Task>? DisposableEnded { get; set; }

    public Task CreateOnDiskAsync(Qube qube, string? pool, IReadOnlyDictionary<string, string> pools) =>
        NoteAsync($"create {qube} {pool} {string.Join(',', pools.Select(p => $"{p.Key}={p.Value}"))}".TrimEnd());

    public Task ConfirmAsync(Qube qube) => NoteAsync($"confirm {qube}");

    public Task DiscardAsync(Qube qube) => NoteAsync($"discard {qube}");

    public async Task RemoveAsync(Qube qube, Func<Task> dropAndCommit, bool isCheckedLast = false)
    {
        await NoteAsync($"remove {qube}");
        if (!isCheckedLast)
        {
            qube.App.Domains.CheckRemovable(qube);
        }

        await dropAndCommit();
    }

    public Task StartAsync(Qube qube) => NoteAsync($"start {qube}");

    public Task ShutdownAsync(Qube qube, bool force, bool wait) => NoteAsync($"shutdown {qube} force={force} wait={wait}");

    /// <summary>A disposable that ends is followed up, as by the real layer.</summary>
    public async Task KillAsync(Qube qube)
    {
        await NoteAsync($"kill {qube}");
        if (qube is DispVM disposable && DisposableEnded is not null)
        {
            disposable.Runtime.State = PowerState.Halted;
            await DisposableEnded(disposable);
        }
    }

    public Task PauseAsync(Qube qube) => NoteAsync($"pause {qube}");

    public Task UnpauseAsync(Qube qube) => NoteAsync($"unpause {qube}");

    public Task SuspendAsync(Qube qube) => NoteAsync($"suspend {qube}");

    public Task ResumeAsync(Qube qube) => NoteAsync($"resume {qube}");

    public Task SuspendAllAsync() => NoteAsync("suspend all");

    public Task ResumeAllAsync() => NoteAsync("resume all");

    public async Task<string> FindConsoleAsync(Qube qube)
    {
        await NoteAsync($"console {qube}");
        return "/dev/pts/7";
    }

    public async Task ResizeVolumeAsync(QubesVM qube, string volume, long size)
    {
        await NoteAsync($"resize {qube} {volume} {size}");
        await StorageOf(qube)[volume].ResizeAsync(size);
    }

    public async Task ResizeVolumeInGuestAsync(QubesVM qube, string volume)
    {
        await NoteAsync($"resize in guest {qube} {volume}");
        if (GuestFailure is not null)
        {
            throw GuestFailure;
        }
    }

    /// <summary>Thrown when a guest is asked to fit its file system.</summary>
    public Exception? GuestFailure { get; set; }

    /// <summary>Real volumes, in the fixture's pool.</summary>
    public QubeStorage StorageOf(QubesVM qube) => Storage.ForQube(Complete(qube));

    private IReadOnlyList<VolumeConfig> Complete(QubesVM qube)
    {
        IReadOnlyList<IReadOnlyList<VolumeConfig>> templates = qube.Template is QubesVM template ? [Complete(template)] : [];
        return [.. qube.Volumes.All.Select(v => VolumePlan.Complete(v, qube.DirectoryName, templates, _ => "varlibqubes", Storage.Find))];
    }

    private async Task NoteAsync(string what)
    {
        await Task.Yield();
        await Gate;
        Asked.Add(what);
        if (Failure is not null)
        {
            throw Failure;
        }
    }
}
