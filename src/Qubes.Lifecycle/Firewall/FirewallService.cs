using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Classes;
using Qubes.Protocol.Errors;
using Qubes.Protocol.Firewall;
using Qubes.Store.Firewall;

namespace Qubes.Lifecycle.Firewall;

/// <summary>
/// The firewall rules of all qubes: read when first needed, told to the netvm, dropped when they expire; <see cref="Files.QubeFiles"/> changes
/// them. Called on the model loop; files are read and written off it.
/// </summary>
public sealed class FirewallService : IDisposable
{
    // The wall clock may be set: how long a rule could outlive its time because of that.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly QubesApp _app;
    private readonly QubesPaths _paths;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KeyedAsyncLocks<QubesVM> _locks = new(ReferenceEqualityComparer.Instance);
    private readonly ITimer _timer;

    public FirewallService(QubesApp app, ModelLoop loop, QubesPaths paths, TimeProvider? time = null, ILogger? log = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        _app = app;
        _paths = paths;
        _time = time ?? TimeProvider.System;
        _logger = log ?? NullLogger.Instance;
        _timer = _time.CreateTimer(_ => loop.Post(_ => DropExpired(), null), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        new FirewallPublisher(this).Register(app.Events);
        new LegacyFirewallPublisher(this).Register(app.Events);
        app.Events.OnAwaited(Model.Events.EmitterClass.DispVM, "domain-create-on-disk", created => InheritAsync((QubesVM)created.Subject));
    }

    internal DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>
    /// Reads the rules of all qubes that have some, so that those that expire do so on time. For after the start: whoever needs
    /// rules earlier gets them earlier.
    /// </summary>
    public async Task LoadAllAsync()
    {
        (QubesVM Qube, string Path)[] files = [.. _app.Domains.OfType<QubesVM>().Select(qube => (qube, PathOf(qube)))];
        QubesVM[] present = await Task.Run(() => files.Where(f => File.Exists(f.Path)).Select(f => f.Qube).ToArray());
        foreach (QubesVM qube in present)
        {
            if (qube.IsInCollection)
            {
                await EnsureLoadedAsync(qube);
            }
        }
    }

    /// <summary>The rules that hold now.</summary>
    /// <exception cref="QubesException">They cannot be read.</exception>
    public async Task<IReadOnlyList<FirewallRule>> GetAsync(QubesVM qube)
    {
        await EnsureLoadedAsync(qube);
        return Unexpired(qube.Firewall.Rules);
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Afterwards the rules are in the model, or it is known that they cannot be read.</summary>
    public async Task EnsureLoadedAsync(QubesVM qube)
    {
        ArgumentNullException.ThrowIfNull(qube);
        if (qube.Firewall.IsLoaded)
        {
            return;
        }

        using (await _locks.AcquireAsync(qube))
        {
            await LoadAsync(qube);
        }
    }

    /// <summary>Held while rules are read or replaced.</summary>
    internal ValueTask<KeyedAsyncLocks<QubesVM>.Holder> LockAsync(QubesVM qube) => _locks.AcquireAsync(qube);

    /// <summary>The rules became others, and that is durable: those that expire do so on time, and the netvm learns of it.</summary>
    internal void Announce(QubesVM qube)
    {
        SetTimer();
        qube.Fire("firewall-changed");
    }

    /// <summary>Keeps rules that could not be read under another name before they are replaced. With the lock held.</summary>
    internal Task KeepDamagedAsync(QubesVM qube)
    {
        string path = PathOf(qube);
        DateTimeOffset now = Now;
        return qube.Firewall.Damage is null ? Task.CompletedTask : Task.Run(() => FirewallFile.KeepDamaged(path, now));
    }

    /// <summary>Without those that have expired.</summary>
    internal IReadOnlyList<FirewallRule> Unexpired(IReadOnlyList<FirewallRule> rules)
    {
        DateTimeOffset now = Now;
        return rules.Any(rule => rule.IsExpired(now)) ? [.. rules.Where(rule => !rule.IsExpired(now))] : rules;
    }

    /// <summary>Reads the rules if they were not. With the lock held.</summary>
    internal async Task LoadAsync(QubesVM qube)
    {
        if (qube.Firewall.IsLoaded)
        {
            return;
        }

        string path = PathOf(qube);
        try
        {
            qube.Firewall.Load(await Task.Run(() => FirewallFile.Read(path)));
            if (qube.Firewall.NextExpiry is not null)
            {
                SetTimer();
            }
        }
        catch (QubesException e)
        {
            _logger.LogError("The firewall rules of {Qube} are DAMAGED, its netvm lets nothing through until they are set anew: {Reason}",
                qube.Name, LogText.Escape(e.Message));
            qube.Firewall.LoadDamaged(e);
        }
    }

    /// <summary>For what nobody waits for.</summary>
    internal void Report(Exception failure, QubesVM qube) =>
        _logger.LogError(failure, "The firewall rules of {Qube} could not be told to its netvm", qube.Name);

    private string PathOf(QubesVM qube) => Path.Combine(_paths.StateDirectory, qube.DirectoryName, FirewallFile.Name);

    private Task SaveAsync(QubesVM qube, IReadOnlyList<FirewallRule> rules)
    {
        string path = PathOf(qube);
        return Task.Run(() => FirewallFile.Write(path, rules));
    }

    /// <summary>A disposable begins with the rules of its template, on disk as well: a restart of the daemon must not open it.</summary>
    private async Task InheritAsync(QubesVM disposable)
    {
        if (disposable.Template is not QubesVM template)
        {
            return;
        }

        await EnsureLoadedAsync(template);
        IReadOnlyList<FirewallRule> rules = Unexpired(template.Firewall.Rules);
        if (rules is not [var only] || only != FirewallRule.AcceptAll)
        {
            await SaveAsync(disposable, rules);
        }

        disposable.Firewall.Load(rules);
        SetTimer();
    }

    private void SetTimer()
    {
        long? next = null;
        foreach (QubesVM qube in _app.Domains.OfType<QubesVM>())
        {
            if (qube.Firewall.NextExpiry is { } expiry && (next is null || expiry < next))
            {
                next = expiry;
            }
        }

        if (next is null)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        TimeSpan wait = DateTimeOffset.FromUnixTimeSeconds(next.Value) - Now;
        _timer.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait < LongestWait ? wait : LongestWait, Timeout.InfiniteTimeSpan);
    }

    private void DropExpired()
    {
        DateTimeOffset now = Now;
        foreach (QubesVM qube in _app.Domains.OfType<QubesVM>().ToArray())
        {
            if (qube.Firewall.NextExpiry is { } expiry && now.ToUnixTimeSeconds() >= expiry)
            {
                // The netvm first: a disk that is full must not keep a connection open that was meant to end now.
                qube.Firewall.Replace(Unexpired(qube.Firewall.Rules));
                TryAnnounce(qube);
                _ = SaveAgainAsync(qube);
            }
        }

        SetTimer();
    }

    private void TryAnnounce(QubesVM qube)
    {
        try
        {
            qube.Fire("firewall-changed");
        }
        catch (Exception e)
        {
            Report(e, qube);
        }
    }

    /// <summary>Without success nothing is lost: expired rules are left out again when the file is read.</summary>
    private async Task SaveAgainAsync(QubesVM qube)
    {
        try
        {
            using (await _locks.AcquireAsync(qube))
            {
                if (qube.IsInCollection)
                {
                    await SaveAsync(qube, qube.Firewall.Rules);
                }
            }
        }
        catch (Exception e)
        {
            _logger.LogError(e, "The firewall rules of {Qube} could not be saved without the expired ones", qube.Name);
        }
    }
}
