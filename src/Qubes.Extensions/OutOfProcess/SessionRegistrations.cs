using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Extensions.OutOfProcess.Storage;
using Qubes.Model.Classes;
using Qubes.Model.Events;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>
/// Where one run of an extension is attached to the model: handlers of events it is asked about, rules, watches. All of it ends with
/// the run; its device classes stay for the next one.
/// </summary>
internal sealed class SessionRegistrations(ExtensionSession session, ExtensionEnvironment environment) : IDisposable
{
    private const int MaxRules = 256;
    private const int MaxWatches = 1024;

    private readonly List<Subscription> _subscriptions = [];
    private readonly List<IDisposable> _handlers = [];
    private readonly List<IDisposable> _rules = [];
    private readonly HashSet<(LocalQube Qube, string Path)> _watches = [];

    /// <summary>The classes it publishes, by name; the supervisor's, so that they outlive this run.</summary>
    public Dictionary<string, PublishedDevices> DeviceClasses { get; set; } = [];

    /// <summary>The storage drivers it runs, by name; the supervisor's as well.</summary>
    public Dictionary<string, PublishedDriver> StorageDrivers { get; set; } = [];

    /// <summary>The classes of qubes it serves.</summary>
    public HashSet<string> QubeClasses { get; } = new(StringComparer.Ordinal);

    /// <summary>It is asked which devices domains have beside the daemon's.</summary>
    public bool AddsDevices { get; set; }

    public IReadOnlyList<Subscription> Subscriptions => _subscriptions;

    /// <summary>Raised when what it wants to hear has changed.</summary>
    public event Action? Changed;

    public void Add(Subscription subscription)
    {
        _subscriptions.Add(subscription);
        string pattern = subscription.Pattern.ToString();
        if (subscription.IsCall && !CallableEvents.IsPermission(pattern))
        {
            // On qubes after all other levels of a pre-event; the application has events of its own.
            _handlers.Add(environment.App.Events.OnAwaited(EmitterClass.BaseVM, pattern, e => AskAsync(subscription, e)));
            _handlers.Add(environment.App.Events.OnAwaited(EmitterClass.Qubes, pattern, e => AskAsync(subscription, e)));
        }

        Changed?.Invoke();
    }

    /// <summary>Replaces its rules.</summary>
    public void SetRules(IReadOnlyList<RpcParams> untrustedRules)
    {
        VetoRule[] rules = [.. untrustedRules.Select(VetoRule.Parse)];
        if (rules.Length > MaxRules)
        {
            throw RpcException.InvalidParams($"more than {MaxRules} rules");
        }

        Clear(_rules);
        foreach (VetoRule rule in rules)
        {
            _rules.Add(environment.App.Events.On(EmitterClass.BaseVM, rule.Pattern, rule.Apply));
            _rules.Add(environment.App.Events.On(EmitterClass.Qubes, rule.Pattern, rule.Apply));
        }
    }

    /// <summary>Changes of the path fire events, which it hears if it has subscribed to them.</summary>
    public void Watch(LocalQube qube, string path)
    {
        if (_watches.Count >= MaxWatches)
        {
            throw RpcException.InvalidParams($"more than {MaxWatches} watches");
        }

        if (!_watches.Contains((qube, path)))
        {
            qube.QubesDb.Watch(path);
            _watches.Add((qube, path));
        }
    }

    public void Unwatch(LocalQube qube, string path)
    {
        if (_watches.Remove((qube, path)))
        {
            qube.QubesDb.Unwatch(path);
        }
    }

    /// <summary>Serves one of the classes its file brings.</summary>
    public void ServeQubeClass(string untrustedName)
    {
        if (session.Definition.Classes.All(c => c.Name != untrustedName))
        {
            throw RpcException.InvalidParams($"its file brings no qube class '{untrustedName}'");
        }

        QubeClasses.Add(untrustedName);
    }

    public void PublishDeviceClass(string deviceClass)
    {
        if (DeviceClasses.TryGetValue(deviceClass, out PublishedDevices? existing))
        {
            existing.Session = session;
            return;
        }

        PublishedDevices devices = new(deviceClass, environment) { Session = session };
        try
        {
            devices.Registration = environment.App.Devices.Register(devices);
        }
        catch (ArgumentException e)
        {
            throw RpcException.InvalidParams(e.Message);
        }

        DeviceClasses.Add(deviceClass, devices);
    }

    public void PublishStorageDriver(StorageDriverDefinition definition)
    {
        if (StorageDrivers.TryGetValue(definition.Name, out PublishedDriver? existing))
        {
            if (existing.Session == session)
            {
                throw RpcException.InvalidParams($"two storage drivers '{definition.Name}'");
            }

            if (existing.Definition.IsSameAs(definition))
            {
                existing.Session = session;
                return;
            }

            existing.End();
            StorageDrivers.Remove(definition.Name);
        }

        PublishedDriver driver = new(definition, session.Definition.Name, environment) { Session = session };
        try
        {
            driver.Begin();
        }
        catch (ArgumentException)
        {
            throw RpcException.InvalidParams($"there is a storage driver '{definition.Name}' already");
        }

        StorageDrivers.Add(definition.Name, driver);
    }

    public void Dispose()
    {
        Clear(_handlers);
        Clear(_rules);
        foreach ((LocalQube qube, string path) in _watches)
        {
            qube.QubesDb.Unwatch(path);
        }

        _watches.Clear();
        _subscriptions.Clear();
        Changed?.Invoke();
    }

    private static void Clear(List<IDisposable> registrations)
    {
        foreach (IDisposable registration in registrations)
        {
            registration.Dispose();
        }

        registrations.Clear();
    }

    private async Task AskAsync(Subscription subscription, QubesEvent happened)
    {
        if (!subscription.Covers(happened.Subject))
        {
            return;
        }

        if (!session.IsReady)
        {
            session.Definition.RefuseIfRequired(happened);
            return;
        }

        try
        {
            await session.AskAboutAsync(happened);
        }
        catch (ExtensionGoneException)
        {
            // Nobody said no. Where consent is needed, the guard of its file refuses.
            session.Definition.RefuseIfRequired(happened);
        }
    }
}
