using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Firewall;
using Qubes.Lifecycle.Notes;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;
using Qubes.Store.Files;
using Qubes.Store.Firewall;
using Qubes.Store.Notes;

namespace Qubes.Lifecycle.Files;

/// <summary>
/// Changes what of qubes lies in files of its own, firewall rules and notes, with a commit of the store: both hold, or none. Called on the
/// model loop.
/// </summary>
public sealed class QubeFiles(FirewallService firewall, NotesService notes, FileCommits commits, ILogger log)
{
    /// <summary>
    /// Makes new contents durable beside the old ones, which stand until <see cref="QubeFilesChange.FinishAsync"/>. Nobody else changes those
    /// files before the result is disposed.
    /// </summary>
    /// <param name="origin">The origin of the change that takes them.</param>
    /// <param name="revision">The last revision there is.</param>
    /// <param name="rules">The new rules of each qube.</param>
    /// <param name="texts">The new notes of each qube; empty for none.</param>
    /// <exception cref="QubesException">They cannot be written, or a qube is gone.</exception>
    public async Task<QubeFilesChange> BeginAsync(
        ChangeOrigin origin, long revision, IReadOnlyDictionary<QubesVM, IReadOnlyList<FirewallRule>> rules, IReadOnlyDictionary<QubesVM, string> texts)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(texts);
        QubeFilesChange change = new(firewall, log);
        try
        {
            // In the same order by everybody: two changes of the same qubes do not wait for each other.
            foreach ((QubesVM qube, IReadOnlyList<FirewallRule> list) in rules.OrderBy(r => r.Key.Name.Value, StringComparer.Ordinal))
            {
                change.Hold(await firewall.LockAsync(qube));
                await firewall.LoadAsync(qube);
                await firewall.KeepDamagedAsync(qube);
                change.Add(qube, firewall.Unexpired(list));
            }

            foreach ((QubesVM qube, string text) in texts.OrderBy(t => t.Key.Name.Value, StringComparer.Ordinal))
            {
                change.Hold(await notes.LockAsync(qube));
                change.Add(qube, await notes.TryReadAsync(qube), text);
            }

            if (rules.Keys.Concat(texts.Keys).FirstOrDefault(qube => !qube.IsInCollection) is { } gone)
            {
                throw QubesErrors.VMNotFound(gone.Name);
            }

            change.Commit = await commits.PrepareAsync(origin, revision,
            [
                .. change.Rules.Select(r => FirewallFile.ChangeFor(r.Qube.DirectoryName, r.Rules)),
                .. change.Notes.Select(n => NotesFile.ChangeFor(n.Qube.DirectoryName, n.Text)),
            ]);
            return change;
        }
        catch (Exception e)
        {
            await change.DisposeAsync();
            if (e is IOException or UnauthorizedAccessException)
            {
                string what = rules.Count > 0 ? "firewall save error" : "Failed to write notes file";
                throw new QubesException(QubesErrorNames.QubesException, $"{what}: {e.Message}", e);
            }

            throw;
        }
    }
}
