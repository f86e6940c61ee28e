using System.Text.Json;
using Microsoft.Extensions.Logging;
using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Extensions.OutOfProcess.Policy;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Lifecycle.DomainXml;
using Qubes.Linux;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>
/// All extensions that are programs of their own. Made before the store is loaded, so that what needs their consent waits for them
/// from the beginning; started when the daemon serves. Belongs to the model loop.
/// </summary>
public sealed class ExtensionHost : IPermissionGate, IEventObserver, IAsyncDisposable
{
    // Event names may hold names of features and tags: callers can make any number of them up.
    private const int MaxCachedNames = 8192;
    private const int MaxFilterNames = 10_000;

    private readonly ExtensionEnvironment _environment;
    private readonly List<ExtensionSupervisor> _supervisors = [];
    private readonly List<ClassGuard> _classes = [];
    private readonly List<Task> _running = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<string, bool> _concerns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _wanted = new(StringComparer.Ordinal);
    private bool _observes;

    public ExtensionHost(ExtensionEnvironment environment, IEnumerable<ExtensionDefinition> definitions)
    {
        _environment = environment;
        foreach (ExtensionDefinition definition in definitions)
        {
            ExtensionSupervisor? supervisor = null;
            if (definition.IsEnabled)
            {
                supervisor = new ExtensionSupervisor(definition, environment);
                supervisor.Changed += OnChanged;
                _supervisors.Add(supervisor);
            }

            _classes.Add(new ClassGuard(definition, environment.App, () => supervisor?.Session));
        }
    }

    /// <summary>Removes what the programs of a daemon that was killed have left, whether they are started again or not. Blocks on the file system.</summary>
    public static void ClearLeftovers(QubesPaths paths) => SessionPolicy.Clear(paths);

    /// <summary>Starts them all and waits, not for ever, until each has said what it wants.</summary>
    public async Task StartAsync()
    {
        _environment.Loop.VerifyAccess();
        foreach (ExtensionSupervisor supervisor in _supervisors)
        {
            _running.Add(supervisor.RunAsync(_stopping.Token));
        }

        await Task.WhenAll(_supervisors.Select(s => s.Settled)).WaitAsync(_environment.Limits.StartPatience, _environment.Time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        foreach (string waiting in _classes.SelectMany(c => c.Waiting))
        {
            _environment.Loggers.CreateLogger("extensions").LogWarning("Qubes of class {Class} cannot be started: their extension does not serve them", waiting);
        }
    }

    /// <summary>Which devices extensions add to a domain that is about to be launched. One that does not answer adds none.</summary>
    /// <exception cref="QubesException">One refuses.</exception>
    public async Task<IReadOnlyList<ExtraDevice>> FindDevicesAsync(QubesVM qube, string xml)
    {
        List<ExtraDevice> devices = [];
        foreach (ExtensionSession session in Sessions.Where(s => s.Registrations.AddsDevices).ToArray())
        {
            try
            {
                devices.AddRange(await DomainDeviceQuestion.AskAsync(session, qube.Name, xml));
            }
            catch (ExtensionGoneException e)
            {
                session.Log.LogWarning("{Qube} starts without the devices it might have added: it {Reason}", qube.Name, LogText.Escape(e.Message));
            }
        }

        return devices;
    }

    /// <summary>Tells them to end, and ends those that do not.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_running);
        _stopping.Dispose();
    }

    /// <inheritdoc/>
    public bool Concerns(string permissionEvent)
    {
        if (_supervisors.Count == 0)
        {
            return false;
        }

        if (!_concerns.TryGetValue(permissionEvent, out bool concerns))
        {
            concerns = _supervisors.Any(s => s.Definition.Requires(permissionEvent)
                || s.Session?.Registrations.Subscriptions.Any(x => x.IsCall && x.Pattern.Matches(permissionEvent)) == true);
            Cache(_concerns, permissionEvent, concerns);
        }

        return concerns;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Func<string, bool>>> AskAsync(QubesEvent permission)
    {
        List<Task<JsonElement>> asking = [];
        foreach (ExtensionSupervisor supervisor in _supervisors)
        {
            if (supervisor.Session is not { IsReady: true } session)
            {
                supervisor.Definition.RefuseIfRequired(permission);
            }
            else if (session.Registrations.Subscriptions.Any(s => s.IsCall && s.Covers(permission)) && !IsOwnCall(session, permission))
            {
                asking.Add(AskOneAsync(session, permission));
            }
        }

        List<Func<string, bool>> filters = [];
        foreach (JsonElement answer in await Task.WhenAll(asking))
        {
            if (FilterOf(answer, permission) is { } filter)
            {
                filters.Add(filter);
            }
        }

        return filters;
    }

    /// <summary>Tells the subscribers. The message is made once for all of them, and not at all when nobody wants it.</summary>
    void IEventObserver.OnEvent(QubesEvent happened)
    {
        if (!_wanted.TryGetValue(happened.Name, out bool wanted))
        {
            wanted = Sessions.Any(s => s.Registrations.Subscriptions.Any(x => !x.IsCall && x.Pattern.Matches(happened.Name)));
            Cache(_wanted, happened.Name, wanted);
        }

        if (!wanted)
        {
            return;
        }

        byte[]? message = null;
        foreach (ExtensionSession session in Sessions.ToArray())
        {
            if (session.Registrations.Subscriptions.Any(s => !s.IsCall && s.Covers(happened)))
            {
                message ??= RpcWriter.Notification("event", writer => EventJson.Write(writer, happened));
                session.Tell(message);
            }
        }
    }

    private IEnumerable<ExtensionSession> Sessions => _supervisors.Select(s => s.Session).OfType<ExtensionSession>();

    private static async Task<JsonElement> AskOneAsync(ExtensionSession session, QubesEvent permission)
    {
        try
        {
            return await session.AskAboutAsync(permission);
        }
        catch (ExtensionGoneException)
        {
            session.Definition.RefuseIfRequired(permission);
            return default;
        }
    }

    /// <summary>An extension that waits for a call of its own is not asked about it.</summary>
    private static bool IsOwnCall(ExtensionSession session, QubesEvent permission) =>
        session.OwnCalls.Count > 0 && permission.Subject is AdminVM
        && session.OwnCalls.Contains((permission.Name[CallableEvents.PermissionPrefix.Length..], permission.Arguments["arg"] as string ?? "",
            (permission.Arguments["dest"] as Qube)?.Name ?? ""));

    // {"hide": [NAME, …]} or {"only": [NAME, …]}; anything else limits nothing

    private static Func<string, bool>? FilterOf(JsonElement untrustedAnswer, QubesEvent permission)
    {
        RpcParams answer = new(untrustedAnswer);
        try
        {
            HashSet<string> only = [.. answer.Texts("only", MaxFilterNames)];
            if (answer.Has("only"))
            {
                return only.Contains;
            }

            HashSet<string> hide = [.. answer.Texts("hide", MaxFilterNames)];
            return hide.Count > 0 ? name => !hide.Contains(name) : null;
        }
        catch (RpcException)
        {
            // It wanted to limit something: better nothing is shown than what it meant to hide.
            throw QubesErrors.PermissionDenied($"An extension gave an unusable answer to {permission.Name}");
        }
    }

    private static void Cache(Dictionary<string, bool> cache, string name, bool value)
    {
        if (cache.Count >= MaxCachedNames)
        {
            cache.Clear();
        }

        cache[name] = value;
    }

    private void OnChanged()
    {
        _concerns.Clear();
        _wanted.Clear();

        // Without a listener the model does not even make the events.
        bool observes = Sessions.Any(s => s.Registrations.Subscriptions.Any(x => !x.IsCall));
        if (observes == _observes)
        {
            return;
        }

        _observes = observes;
        if (observes)
        {
            _environment.App.Events.AddObserver(this);
        }
        else
        {
            _environment.App.Events.RemoveObserver(this);
        }
    }
}
