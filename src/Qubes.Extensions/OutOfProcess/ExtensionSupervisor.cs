using Microsoft.Extensions.Logging;
using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Extensions.OutOfProcess.Storage;
using Qubes.Linux;
using Qubes.Model.Events;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>
/// Keeps one extension running: starts it, and anew after it failed, with growing pauses, until it has failed too often. Also holds
/// what its file requires, whether it runs or not. Belongs to the model loop.
/// </summary>
internal sealed class ExtensionSupervisor
{
    private readonly ExtensionEnvironment _environment;
    private readonly ILogger _log;
    private readonly Dictionary<string, PublishedDevices> _devices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PublishedDriver> _drivers = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ExtensionSupervisor(ExtensionDefinition definition, ExtensionEnvironment environment)
    {
        Definition = definition;
        _environment = environment;
        _log = environment.Loggers.CreateLogger("extension " + definition.Name);
        foreach (string pattern in definition.Required.Select(p => p.ToString()).Where(p => !CallableEvents.IsPermission(p)))
        {
            // As long as there is a session, its own subscription asks: it must have one to become ready.
            environment.App.Events.On(EmitterClass.BaseVM, pattern, RefuseUnlessReady);
            environment.App.Events.On(EmitterClass.Qubes, pattern, RefuseUnlessReady);
        }
    }

    public ExtensionDefinition Definition { get; }

    /// <summary>The present run, once it is ready; null otherwise.</summary>
    public ExtensionSession? Session { get; private set; }

    /// <summary>Completes when it is ready for the first time, or has failed for the first time.</summary>
    public Task Settled => _settled.Task;

    /// <summary>Raised when the subscriptions have changed.</summary>
    public event Action? Changed;

    /// <summary>Runs it until the token fires, or it has failed too often.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ExtensionLimits limits = _environment.Limits;
        int failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            long start = _environment.Time.GetTimestamp();
            string reason = await RunOnceAsync(cancellationToken);
            _settled.TrySetResult();
            if (cancellationToken.IsCancellationRequested)
            {
                break;
            }

            failures = _environment.Time.GetElapsedTime(start) >= limits.HealthyAfter ? 1 : failures + 1;
            if (failures >= limits.Failures)
            {
                _log.LogError("{Reason}; it has failed {Count} times in a row and is not started again", LogText.Escape(reason), failures);
                break;
            }

            TimeSpan pause = TimeSpan.FromTicks((long)Math.Min(limits.FirstPause.Ticks * Math.Pow(2, failures - 1), limits.LongestPause.Ticks));
            _log.LogError("{Reason}; it is started again in {Pause} s", LogText.Escape(reason), pause.TotalSeconds);
            await Task.Delay(pause, _environment.Time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }

        foreach (PublishedDevices devices in _devices.Values)
        {
            devices.End();
        }

        _devices.Clear();
        foreach (PublishedDriver driver in _drivers.Values)
        {
            driver.End();
        }

        _drivers.Clear();
    }

    /// <summary>One life of the program. Returns why it is over.</summary>
    private async Task<string> RunOnceAsync(CancellationToken cancellationToken)
    {
        ExtensionChannel channel;
        try
        {
            channel = await Task.Run(() => ExtensionChannel.Start(Definition, _environment.Limits, _environment.Paths, _log), cancellationToken);
        }
        catch (Exception e) when (e is LinuxException or IOException or OperationCanceledException)
        {
            return $"cannot be started: {e.Message}";
        }

        await using ExtensionChannel owned = channel;
        ExtensionSession session = new(Definition, _environment, channel, _log);
        session.Registrations.DeviceClasses = _devices;
        session.Registrations.StorageDrivers = _drivers;
        session.Registrations.Changed += () => Changed?.Invoke();
        await using CancellationTokenRegistration stop = cancellationToken.UnsafeRegister(
            state => _environment.Loop.Post(_ => ((ExtensionSession)state!).Fail("the daemon stops"), null), session);
        Task<string> reading = Task.Run(() => channel.ReadAsync(
            _environment.Time, message => _environment.Loop.InvokeAsync(() => session.OnMessage(message))), CancellationToken.None);
        _ = FailWhenReadAsync(session, reading);
        try
        {
            await session.ShakeHandsAsync();
            Session = session;
            EndForgotten(session);
            _log.LogInformation("Ready, process {Process}", channel.ProcessId);
            Changed?.Invoke();
            session.Greet();
            foreach (PublishedDriver driver in _drivers.Values)
            {
                _ = driver.OpenAllAsync();
            }

            _settled.TrySetResult();
        }
        catch (ExtensionGoneException e)
        {
            session.Fail(e.Message);
        }

        string reason = await session.Failed;
        Session = null;
        Changed?.Invoke();
        await EndPolicyAsync(session);
        if (cancellationToken.IsCancellationRequested)
        {
            channel.TrySend(RpcWriter.Notification("shutdown", parameters: null));
            await channel.EndAsync(_environment.Time);
        }

        return reason;
    }

    private static async Task FailWhenReadAsync(ExtensionSession session, Task<string> reading) => session.Fail(await reading);

    private async Task EndPolicyAsync(ExtensionSession session)
    {
        try
        {
            await session.Policy.EndAsync();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.LogError("Its rules of the policy cannot be removed: {Reason}", LogText.Escape(e.Message));
        }
    }

    /// <summary>What an earlier run published and this one does not.</summary>
    private void EndForgotten(ExtensionSession session)
    {
        foreach ((string name, PublishedDevices devices) in _devices.ToArray())
        {
            if (devices.Session != session)
            {
                devices.End();
                _devices.Remove(name);
            }
        }

        foreach ((string name, PublishedDriver driver) in _drivers.ToArray())
        {
            if (driver.Session != session)
            {
                driver.End();
                _drivers.Remove(name);
            }
        }
    }

    private void RefuseUnlessReady(QubesEvent happened)
    {
        if (Session is not { IsReady: true })
        {
            Definition.RefuseIfRequired(happened);
        }
    }
}
