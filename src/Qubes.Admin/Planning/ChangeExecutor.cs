using Qubes.Admin.Calls;
using Qubes.Lifecycle;
using Qubes.Lifecycle.Files;
using Qubes.Linux;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.Planning;

/// <summary>
/// Makes a planned set of changes real: all of it in one commit, or none. What takes time comes first: new qubes get their data, those to be
/// removed are held, handlers agree to device assignments. Then everything else happens between two waits, so that no other call, and no save
/// of one, comes in between.
/// </summary>
internal sealed class ChangeExecutor(AdminCall call, ChangePlan plan, long revision)
{
    private readonly ChangeRunner _runner = new(call.App, ChangePlanner.Creator(call.Source));

    /// <returns>The revision of the commit.</returns>
    /// <exception cref="QubesException"><c>QubesConflictError</c> if the state is not that of the given revision any more; what a step gives.</exception>
    public async Task<long> RunAsync()
    {
        RequireRevision();
        using ModelChange change = call.BeginChange();
        await using Rollback rollback = new(call.Services.Logger);
        List<Qube> created = [];
        foreach (ChangeStep step in plan.Steps.Where(ChangePlanner.IsFirst))
        {
            await RunAsync(step);
            if (step is CreateStep)
            {
                created.Add(call.App.Domains[step.UntrustedQube]);
            }
        }

        foreach (ChangeStep step in plan.Steps.Where(step => step is not CreateStep && created.Exists(qube => qube.Name.Value == step.UntrustedQube)))
        {
            ChangeCalls.Permit(call, step);
        }

        await MakeDataAsync(created, rollback);
        await using QubeFilesChange? files = await FileChanges.BeginAsync(call, change.Origin!, revision, plan.Steps);

        // By name, so that two calls never wait for each other.
        RemoveStep[] removals = [.. plan.Steps.OfType<RemoveStep>().OrderBy(step => step.UntrustedQube, StringComparer.Ordinal)];
        await HoldRemovedAsync(removals, async () =>
        {
            RequireRevision();
            ChangeStep[] rest = [.. plan.Steps.Where(step => !ChangePlanner.IsFirst(step) && !FileChanges.IsFile(step))];
            foreach (ChangeStep step in rest.Where(step => step is DeviceStep).Concat(rest.Where(step => step is not DeviceStep)))
            {
                await RunAsync(step);
            }

            RequireRevision();
            files?.Apply();
            await call.CommitAsync(change);
            rest.ToList().ForEach(step => StorageChanges.Finish(call.Services.Storage, step));
            if (files is not null)
            {
                await files.FinishAsync();
            }
        });
        rollback.Commit();
        foreach (Qube qube in created)
        {
            await call.Services.Lifecycle.ConfirmAsync(qube);
        }

        return Math.Max(change.Revision, revision);
    }

    private void RequireRevision()
    {
        long now = call.App.Changes.Revision;
        if (now != revision)
        {
            throw QubesErrors.Conflict(string.Create(System.Globalization.CultureInfo.InvariantCulture,
                $"The state is at revision {now} by now, the change was made for revision {revision}"));
        }
    }

    private async Task RunAsync(ChangeStep step)
    {
        try
        {
            // Looked at for the plan, but a qube may have been started since.
            StorageChanges.Check(call, step);
            await _runner.RunAsync(step);
        }
        catch (QubesException e)
        {
            throw PlacedError.At(step.Place, e);
        }
    }

    private async Task MakeDataAsync(List<Qube> created, Rollback rollback)
    {
        IQubeLifecycle lifecycle = call.Services.Lifecycle;
        Dictionary<string, string?> pools = plan.Steps.OfType<CreateStep>()
            .ToDictionary(step => step.UntrustedQube, step => step.UntrustedPool, StringComparer.Ordinal);
        foreach (Qube qube in created)
        {
            await lifecycle.CreateOnDiskAsync(qube, pools[qube.Name], new Dictionary<string, string>(StringComparer.Ordinal));
            rollback.Push($"data of {qube.Name}", async () => await lifecycle.DiscardAsync(qube));
        }
    }

    /// <summary>Each removal holds its qube until the one commit is there, and deletes the data after it.</summary>
    private Task HoldRemovedAsync(ReadOnlyMemory<RemoveStep> removals, Func<Task> commit) => removals.IsEmpty
        ? commit()
        : call.Services.Lifecycle.RemoveAsync(
            _runner.Removable(removals.Span[0]), () => HoldRemovedAsync(removals[1..], commit), isCheckedLast: true);
}
