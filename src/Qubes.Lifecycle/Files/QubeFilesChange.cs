using Microsoft.Extensions.Logging;
using Qubes.Lifecycle.Firewall;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Protocol.Firewall;
using Qubes.Store.Files;

namespace Qubes.Lifecycle.Files;

/// <summary>
/// New firewall rules and notes on their way: <see cref="Apply"/> within the change → the commit → <see cref="FinishAsync"/>. Disposed without
/// that, the old ones stand.
/// </summary>
public sealed class QubeFilesChange : IAsyncDisposable
{
    private readonly FirewallService _firewall;
    private readonly ILogger _log;
    private readonly List<(QubesVM Qube, IReadOnlyList<FirewallRule> Rules)> _rules = [];
    private readonly List<(QubesVM Qube, string? Before, string Text)> _notes = [];
    private readonly List<KeyedAsyncLocks<QubesVM>.Holder> _held = [];

    internal QubeFilesChange(FirewallService firewall, ILogger log)
    {
        _firewall = firewall;
        _log = log;
    }

    internal IReadOnlyList<(QubesVM Qube, IReadOnlyList<FirewallRule> Rules)> Rules => _rules;

    internal IReadOnlyList<(QubesVM Qube, string? Before, string Text)> Notes => _notes;

    internal FileCommit? Commit { get; set; }

    /// <summary>The model takes them, in the change that is open.</summary>
    public void Apply()
    {
        _rules.ForEach(r => r.Qube.Firewall.Set(r.Rules));
        _notes.ForEach(n => n.Qube.Notes.Set(n.Before, n.Text));
    }

    /// <summary>The change is durable: the files take their places, and network qubes are told.</summary>
    public async Task FinishAsync()
    {
        try
        {
            await Commit!.FinishAsync();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing is lost: it is done before any other such change, or at the next start.
            _log.LogError(e, "Firewall rules or notes that are saved could not be put in their places yet");
        }

        _rules.ForEach(r => _firewall.Announce(r.Qube));
    }

    public async ValueTask DisposeAsync()
    {
        if (Commit is not null)
        {
            await Commit.DisposeAsync();
        }

        _held.ForEach(held => held.Dispose());
        _held.Clear();
    }

    internal void Hold(KeyedAsyncLocks<QubesVM>.Holder held) => _held.Add(held);

    internal void Add(QubesVM qube, IReadOnlyList<FirewallRule> rules) => _rules.Add((qube, rules));

    internal void Add(QubesVM qube, string? before, string text) => _notes.Add((qube, before, text));
}
