using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Firewall;
using Qubes.Lifecycle.Notes;
using Qubes.Model;
using Qubes.Model.Classes;

namespace Qubes.Admin.State;

/// <summary>Reads what of the state lies in files of its own: firewall rules and notes. The model tells when it has them.</summary>
internal sealed class StateFiles(QubesApp app, FirewallService firewall, NotesService notes, ILogger logger)
{
    /// <summary>Afterwards the model has the files of all qubes there were. Ends at once when nothing is missing.</summary>
    public Task LoadAllAsync()
    {
        List<Task>? loading = null;
        foreach (Qube qube in app.Domains)
        {
            if (qube is QubesVM vm && !IsLoaded(vm))
            {
                (loading ??= []).Add(LoadAsync(vm));
            }
        }

        return loading is null ? Task.CompletedTask : Task.WhenAll(loading);
    }

    /// <summary>Reads those of a new qube without anybody waiting.</summary>
    public void Want(Qube? qube)
    {
        if (qube is QubesVM vm && !IsLoaded(vm))
        {
            _ = LoadAsync(vm);
        }
    }

    private static bool IsLoaded(QubesVM qube) => qube.Firewall.IsLoaded && qube.Notes.IsLoaded;

    private async Task LoadAsync(QubesVM qube)
    {
        try
        {
            await firewall.EnsureLoadedAsync(qube);
            await notes.EnsureLoadedAsync(qube);
        }
        catch (Exception e)
        {
            logger.LogError(e, "The firewall rules and notes of {Qube} cannot be told", qube.Name);
        }
    }
}
