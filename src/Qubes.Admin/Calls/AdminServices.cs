using Microsoft.Extensions.Logging;
using Qubes.Admin.Handlers;
using Qubes.Admin.Audit;
using Qubes.Admin.Limits;
using Qubes.Admin.Permissions;
using Qubes.Admin.Planning;
using Qubes.Admin.State;
using Qubes.Admin.Streams;
using Qubes.Extensions.OutOfProcess;
using Qubes.Lifecycle;
using Qubes.Lifecycle.Disposables;
using Qubes.Lifecycle.Files;
using Qubes.Lifecycle.Firewall;
using Qubes.Lifecycle.Notes;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Policy.Loading;
using Qubes.Storage;
using Qubes.Store.History;

namespace Qubes.Admin.Calls;

/// <summary>What handlers work with.</summary>
public sealed class AdminServices
{
    public required QubesApp App { get; init; }

    /// <summary>Makes a change durable and then completes it, or undoes it and throws.</summary>
    public required Func<ModelChange, Task> CommitAsync { get; init; }

    public required SystemInfoSource SystemInfo { get; init; }

    public required EventBroadcaster Broadcaster { get; init; }

    public required StateFeed State { get; init; }

    /// <summary>The policy in force: what a call made of several may do is decided for each of them.</summary>
    public required PolicyStore Policies { get; init; }

    /// <summary>Tries changes on a copy.</summary>
    public ChangePlanner Planner { get; init; } = new();

    public required HistoryReader History { get; init; }

    public required IQubeLifecycle Lifecycle { get; init; }

    public required DisposableService Disposables { get; init; }

    public required StorageService Storage { get; init; }

    public CloneTokens CloneTokens { get; } = new();

    public required FirewallService Firewall { get; init; }

    public required NotesService Notes { get; init; }

    /// <summary>Changes firewall rules and notes.</summary>
    public required QubeFiles Files { get; init; }

    /// <summary>Extensions that are asked for permission; null where there are none.</summary>
    public IPermissionGate? PermissionGate { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>What callers may take.</summary>
    public required CallerGate Gate { get; init; }

    /// <summary>Records each call; null where nothing is recorded.</summary>
    public CallRecorder? Recorder { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    internal QubeListing Listing => field ??= new QubeListing(App);
}
