using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Qubes.Extensions.OutOfProcess.Calls;
using Qubes.Extensions.OutOfProcess.Configuration;
using Qubes.Extensions.OutOfProcess.Policy;
using Qubes.Extensions.OutOfProcess.Rpc;
using Qubes.Extensions.OutOfProcess.Storage;
using Qubes.Linux;
using Qubes.Model.Events;
using Qubes.Protocol.Errors;

namespace Qubes.Extensions.OutOfProcess;

/// <summary>
/// The conversation with one run of an extension: what was asked in either direction and is not answered, what it has subscribed to.
/// Belongs to the model loop, and is of no use once it has failed.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "A token source without a timer holds no native resource, and late waiters still look at it.")]
internal sealed class ExtensionSession
{
    private const int ProtocolVersion = 1;
    private const int MaxSubscriptions = 256;

    private readonly ExtensionEnvironment _environment;
    private readonly ExtensionChannel _channel;
    private readonly Dictionary<long, TaskCompletionSource<RpcMessage>> _asked = [];
    private readonly TaskCompletionSource<string> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ended = new();
    private long _lastId;
    private int _working;
    private int _missed;

    public ExtensionSession(ExtensionDefinition definition, ExtensionEnvironment environment, ExtensionChannel channel, ILogger log)
    {
        Definition = definition;
        _environment = environment;
        _channel = channel;
        Log = log;
        Registrations = new SessionRegistrations(this, environment);
        LongRequests = new LongRequests(this, environment.Time, definition.StorageDeadline);
        Policy = new SessionPolicy(definition.Name, environment);
    }

    public ExtensionDefinition Definition { get; }

    public ILogger Log { get; }

    /// <summary>What it has attached itself to.</summary>
    public SessionRegistrations Registrations { get; }

    /// <summary>What it may take its time for.</summary>
    public LongRequests LongRequests { get; }

    /// <summary>The rules it has added to the policy.</summary>
    public SessionPolicy Policy { get; }

    /// <summary>Calls of the Admin API it waits for: about these it is not asked.</summary>
    public List<(string Method, string Argument, string Destination)> OwnCalls { get; } = [];

    /// <summary>The handshake is done and it has not failed.</summary>
    public bool IsReady { get; private set; }

    public bool HasFailed => _failed.Task.IsCompleted;

    /// <summary>Completes with the reason when this run is to be ended.</summary>
    public Task<string> Failed => _failed.Task;

    /// <summary>Cancelled when this run is over: whatever is done for it can stop.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Introduces the daemon; the answer says what the extension wants.</summary>
    /// <exception cref="ExtensionGoneException">It did not answer, or what it wants cannot be.</exception>
    public async Task ShakeHandsAsync()
    {
        RpcMessage answer = await AskAsync("initialize", writer =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("protocol", ProtocolVersion);
            writer.WriteString("name", Definition.Name);
            writer.WriteString("root", _environment.Paths.Root);
            writer.WriteNumber("deadline", (int)Definition.Deadline.TotalMilliseconds);
            writer.WriteNumber("storage_deadline", (int)Definition.StorageDeadline.TotalMilliseconds);
            writer.WriteNumber("max_line", _environment.Limits.MaxLineBytes);
            writer.WriteEndObject();
        }, _environment.Limits.HandshakeDeadline);
        if (answer.Kind == RpcKind.Error)
        {
            throw new ExtensionGoneException($"does not want to start: {answer.ErrorText}");
        }

        try
        {
            RpcParams wanted = new(answer.Content);
            if (wanted.Number("protocol", fallback: 0, 0, int.MaxValue) != ProtocolVersion)
            {
                throw RpcException.InvalidParams($"'protocol' must be {ProtocolVersion}");
            }

            Subscribe(wanted);
            foreach (string deviceClass in wanted.Texts("device_classes", maxCount: 16))
            {
                Registrations.PublishDeviceClass(deviceClass);
            }

            foreach (RpcParams driver in wanted.Objects("storage_drivers", StorageDriverDefinition.MaxDrivers))
            {
                Registrations.PublishStorageDriver(StorageDriverDefinition.Parse(driver));
            }

            foreach (string qubeClass in wanted.Texts("qube_classes", maxCount: 16))
            {
                Registrations.ServeQubeClass(qubeClass);
            }

            Registrations.AddsDevices = wanted.Flag("domain_devices");
            RequireSubscriptions();
        }
        catch (RpcException e)
        {
            throw new ExtensionGoneException($"wants what cannot be: {e.Message}");
        }

        IsReady = true;
    }

    /// <summary>
    /// The first event, as clients of event streams get it: from here on none is missed, and whatever was known before is to be read anew.
    /// </summary>
    public void Greet()
    {
        if (Registrations.Subscriptions.Any(s => !s.IsCall && s.Pattern.Matches("connection-established")))
        {
            Tell(RpcWriter.Notification("event", writer => EventJson.Write(
                writer, new QubesEvent(_environment.App, "connection-established", EventArguments.None, isPre: false))));
        }
    }

    public void Subscribe(RpcParams untrusted)
    {
        IReadOnlyList<Subscription> wanted = [.. untrusted.Objects("subscriptions", MaxSubscriptions).Select(Subscription.Parse)];
        if (Registrations.Subscriptions.Count + wanted.Count > MaxSubscriptions)
        {
            throw RpcException.InvalidParams($"more than {MaxSubscriptions} subscriptions");
        }

        foreach (Subscription subscription in wanted)
        {
            Registrations.Add(subscription);
        }
    }

    /// <summary>Tells of an event. One that does not read is ended: it would otherwise miss events without knowing.</summary>
    public void Tell(byte[] message)
    {
        if (!_channel.TrySend(message))
        {
            Fail("does not read what it is sent");
        }
    }

    /// <summary>Asks about an event.</summary>
    /// <returns>The answer's content.</returns>
    /// <exception cref="QubesException">It refuses.</exception>
    /// <exception cref="ExtensionGoneException">There is no usable answer.</exception>
    public async Task<JsonElement> AskAboutAsync(QubesEvent happened)
    {
        RpcMessage answer = await AskAsync("event", writer => EventJson.Write(writer, happened), Definition.Deadline);
        if (answer.Kind == RpcKind.Result)
        {
            return answer.Content;
        }

        if (answer.ErrorCode != RpcErrorCode.Refused)
        {
            Log.LogError("Could not deal with {Event}: {Error}", happened.Name, LogText.Escape(answer.ErrorText));
            throw new ExtensionGoneException(answer.ErrorText);
        }

        string type;
        try
        {
            type = Refusal.TypeOf(new RpcParams(answer.Content).OptionalText("type"), happened.Name);
        }
        catch (RpcException e)
        {
            Log.LogError("Refused {Event} with an unusable error: {Error}", happened.Name, LogText.Escape(e.Message));
            type = Refusal.TypeOf(untrustedType: null, happened.Name);
        }

        throw Refusal.Of(type, Refusal.Text(answer.ErrorText));
    }

    /// <summary>Asks it to do something, such as to attach a device.</summary>
    /// <exception cref="ExtensionGoneException">It does not answer.</exception>
    public Task<RpcMessage> AskAsync(string method, Action<Utf8JsonWriter> parameters, TimeSpan deadline) =>
        AskAsync(method, parameters, async answer =>
        {
            try
            {
                return await answer.WaitAsync(deadline, _environment.Time);
            }
            catch (TimeoutException)
            {
                if (++_missed >= _environment.Limits.MissedDeadlines)
                {
                    Fail("hangs: it has not answered several questions");
                }

                Log.LogWarning("Has not answered '{Method}' within {Deadline} ms", method, deadline.TotalMilliseconds);
                throw new ExtensionGoneException("does not answer in time");
            }
        });

    /// <summary>Asks it something.</summary>
    /// <param name="wait">Waits for the answer as long as the question is worth.</param>
    /// <exception cref="ExtensionGoneException">It does not answer.</exception>
    public async Task<RpcMessage> AskAsync(string method, Action<Utf8JsonWriter> parameters, Func<Task<RpcMessage>, Task<RpcMessage>> wait)
    {
        if (HasFailed)
        {
            throw new ExtensionGoneException("has ended");
        }

        long id = ++_lastId;
        TaskCompletionSource<RpcMessage> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked.Add(id, answer);
        Tell(RpcWriter.Request(id, method, parameters));
        try
        {
            RpcMessage message = await wait(answer.Task);
            _missed = 0;
            return message;
        }
        finally
        {
            _asked.Remove(id);
        }
    }

    /// <summary>Takes a message from the channel.</summary>
    public void OnMessage(RpcMessage message)
    {
        if (HasFailed)
        {
            return;
        }

        switch (message.Kind)
        {
            case RpcKind.Request:
                _ = ServeAsync(message);
                break;
            case RpcKind.Notification:
                // No other is known in this direction; a newer extension may send some.
                if (message.Method == LongRequests.Progress)
                {
                    LongRequests.NoteProgress();
                }

                break;
            default:
                OnAnswer(message);
                break;
        }
    }

    /// <summary>Ends this run. Whoever waits for an answer gets none.</summary>
    public void Fail(string reason)
    {
        if (!_failed.TrySetResult(reason))
        {
            return;
        }

        IsReady = false;
        Registrations.Dispose();
        foreach (TaskCompletionSource<RpcMessage> waiting in _asked.Values)
        {
            waiting.TrySetException(new ExtensionGoneException(reason));
        }

        _ended.Cancel();
    }

    private void OnAnswer(RpcMessage message)
    {
        // An answer that comes after its deadline finds nobody, and shows that the extension is alive.
        if (long.TryParse(message.Id, NumberStyles.None, CultureInfo.InvariantCulture, out long id) && id <= _lastId)
        {
            _missed = 0;
            if (_asked.TryGetValue(id, out TaskCompletionSource<RpcMessage>? waiting))
            {
                waiting.TrySetResult(message);
            }

            return;
        }

        Fail("answered what it was not asked");
    }

    private async Task ServeAsync(RpcMessage request)
    {
        byte[] answer;
        _working++;
        try
        {
            if (_working > _environment.Limits.ConcurrentRequests)
            {
                throw new RpcException(RpcErrorCode.Busy, "too many requests at a time");
            }

            Action<Utf8JsonWriter>? result = await ExtensionCalls.InvokeAsync(this, _environment, request.Method, new RpcParams(request.Content));
            answer = RpcWriter.Result(request.Id!, result);
            if (answer.Length > _environment.Limits.MaxLineBytes)
            {
                throw new RpcException(RpcErrorCode.InternalError, "the answer is too long");
            }
        }
        catch (RpcException e)
        {
            answer = RpcWriter.Error(request.Id!, e);
        }
        catch (QubesException e)
        {
            answer = RpcWriter.Error(request.Id!, new RpcException(RpcErrorCode.Refused, e.Message, e.WireName));
        }
        catch (OperationCanceledException)
        {
            return;
        }
        catch (Exception e)
        {
            Log.LogError(e, "Its request '{Method}' failed", LogText.Escape(request.Method));
            answer = RpcWriter.Error(request.Id!, new RpcException(RpcErrorCode.InternalError, "internal error in qubesd, see its log for details"));
        }
        finally
        {
            _working--;
        }

        if (!HasFailed)
        {
            Tell(answer);
        }
    }

    /// <summary>What its file says needs its consent, it must want to be asked about, whoever the subject is.</summary>
    private void RequireSubscriptions()
    {
        foreach (EventPattern required in Definition.Required)
        {
            if (!Registrations.Subscriptions.Any(s => s is { IsCall: true, Subject: null, QubeClass: null } && s.Pattern.ToString() == required.ToString()))
            {
                throw RpcException.InvalidParams($"its file requires its consent to '{required}', for which it has no subscription with mode call");
            }
        }
    }
}
