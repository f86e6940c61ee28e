using System.Buffers;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Qubes.Admin.Calls;
using Qubes.Admin.Server;
using Qubes.Lifecycle.Firewall;
using Qubes.Lifecycle.Notes;
using Qubes.Linux;
using Qubes.Model;
using Qubes.Model.Changes;
using Qubes.Model.Classes;
using Qubes.Model.Events;
using Qubes.Policy.Loading;
using Qubes.Protocol.Errors;

namespace Qubes.Admin.State;

/// <summary>
/// Answers <c>admin.state.Get</c> and <c>admin.state.Follow</c>. Keeps the state as last told, finds after each change what became
/// another, and tells it. What is told is what any other read would give once the change is durable; if further changes are under way
/// then, parts of them can be in it, and are told back should they fail. Costs nothing before the first call. Belongs to the model loop.
/// </summary>
public sealed class StateFeed : IModelObserver, IEventObserver
{
    private readonly QubesApp _app;
    private readonly PolicyStore _policies;
    private readonly StateFeedLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly StateFiles _files;
    private readonly ReplyBuffer _buffer = new();
    private readonly HashSet<Qube> _announced = [];
    private StateFollower[] _followers = [];
    private StateImages? _images;
    private StateRing _ring;
    private StatePosition _position;
    private long _revision;
    private long _toldRevision;
    private long _lastFullLook;
    private bool _isScheduled;

    // The names each caller that sees a part was ever told: of those alone it may be told that they are gone.
    private readonly Dictionary<string, HashSet<string>> _told = new(StringComparer.Ordinal);

    // Since which position the policy is this one: what a caller that sees a part saw before that is not known.
    private LoadedPolicy? _policy;
    private long _policySince;

    public StateFeed(
        QubesApp app, PolicyStore policies, FirewallService firewall, NotesService notes, StateFeedLimits limits, TimeProvider time, ILogger logger)
    {
        _app = app;
        _policies = policies;
        _limits = limits;
        _time = time;
        _logger = logger;
        _ring = new StateRing(limits);
        _files = new StateFiles(app, firewall, notes, logger);
    }

    public int FollowerCount => _followers.Length;

    /// <summary>The revision of the last change that is durable or was given up.</summary>
    public long Revision => _images is null ? _app.Changes.Revision : _revision;

    /// <summary>Before <see cref="WriteSnapshot"/>: afterwards the model has what lies in files of its own.</summary>
    public Task LoadFilesAsync() => _files.LoadAllAsync();

    // {"format":1,"revision":N,"position":"","system":OBJECT|null,"qubes":{NAME:OBJECT*}}; the objects as in StateWriter

    /// <summary>Answers with everything the caller may see.</summary>
    public void WriteSnapshot(AdminCall call, AdminFilters filters)
    {
        StateImages images = Prepare();
        if (!filters.AllowsAll)
        {
            NoticePolicy(images);
        }

        List<(string Name, StateFragment Fragment, QubeSections Sees)> visible = new(images.Qubes.Count);
        foreach (QubeImage image in images.Qubes)
        {
            QubeSections sees = filters.SectionsOf(image.Qube);
            if (sees != QubeSections.None)
            {
                visible.Add((image.Qube.Name, image.Fragment, sees));
            }
        }

        if (!filters.AllowsAll)
        {
            ToldTo(call.Source).UnionWith(visible.Select(qube => qube.Name));
        }

        call.Write(string.Create(CultureInfo.InvariantCulture, $$"""{"format":1,"revision":{{_revision}},"position":"{{_position}}","system":"""));
        call.Reply.Write(filters.Allows(_app) ? images.System.Json : "null"u8);
        call.Write(",\"qubes\":{");
        call.ReplyRest = new StateSnapshot([.. visible]);
    }

    /// <summary>Begins to tell the caller what changes after a position.</summary>
    /// <exception cref="QubesException"><c>QubesStateExpiredError</c>; <c>ProtocolError</c> if it is no position.</exception>
    public void Follow(AdminCall call, AdminFilters filters)
    {
        if (!StatePosition.TryParse(call.UntrustedArgument, out StatePosition from))
        {
            throw QubesErrors.Protocol("argument must be a position: RUN.NUMBER");
        }

        if (_images is null || from.Run != _position.Run)
        {
            throw QubesErrors.StateExpired();
        }

        StateImages images = Prepare();
        if (!filters.AllowsAll)
        {
            NoticePolicy(images);
        }

        if (from.Number < _ring.OldestStart || from.Number > _position.Number)
        {
            throw QubesErrors.StateExpired();
        }

        IReadOnlyList<StateEntry> missed = _ring.After(from.Number);
        StateFollower follower = new(call.Source, filters, filters.AllowsAll ? [] : ToldTo(call.Source));
        _buffer.Truncate(0);
        if (follower.SeesAll)
        {
            foreach (StateEntry entry in missed)
            {
                _buffer.Write(entry.Messages);
            }
        }
        else
        {
            CatchUp(follower, call.Source, from, missed, images);
        }

        if (_buffer.Count == 0 || !follower.SeesAll)
        {
            StateMessages.WritePosition(_buffer, _position, _revision);
        }

        if (_buffer.Count > _limits.CatchUpBytes)
        {
            throw QubesErrors.StateExpired();
        }

        follower.Stream = call.BeginStream(() => _followers = Array.FindAll(_followers, f => f != follower));
        _followers = [.. _followers, follower];
        follower.Stream.Send(_buffer.Written);
    }

    void IModelObserver.OnSettled(ModelChange change)
    {
        _revision = Math.Max(_revision, change.Revision);
        foreach (ChangeRecord record in change.Records.Where(record => record.Item == "qube"))
        {
            // Looked at before, it was still being made.
            if (_app.Domains.TryGet(record.Subject, out Qube? made))
            {
                _announced.Add(made);
            }
        }

        Publish(everything: false);
    }

    void IModelObserver.OnUnsavedChanged() => Schedule();

    /// <summary>Values that are made of more than the model are announced by the events of their properties.</summary>
    public void OnEvent(QubesEvent qubesEvent)
    {
        ArgumentNullException.ThrowIfNull(qubesEvent);
        if (_images is not null && qubesEvent is { IsPre: false, Subject: Qube qube } && qubesEvent.Name.StartsWith("property-", StringComparison.Ordinal))
        {
            _announced.Add(qube);
            Schedule();
        }
    }

    private void CatchUp(StateFollower follower, Qube caller, StatePosition from, IReadOnlyList<StateEntry> missed, StateImages images)
    {
        HashSet<string> changed = [.. missed.SelectMany(entry => entry.Qubes)];
        if (from.Number < _policySince || changed.Contains(caller.Name))
        {
            throw QubesErrors.StateExpired();
        }

        follower.CatchUp(_app, images, _policy!, changed, missed.Any(entry => entry.IsSystem), _buffer);
    }

    /// <summary>The state as of now; on the first call, and after a failure, it begins to be kept.</summary>
    private StateImages Prepare()
    {
        long now = _time.GetTimestamp();
        if (_images is null)
        {
            Span<byte> run = stackalloc byte[sizeof(uint)];
            KernelRandom.Fill(run);
            _position = new StatePosition(BitConverter.ToUInt32(run), 0);
            _ring = new StateRing(_limits);
            _revision = _toldRevision = _app.Changes.Revision;
            _policySince = 0;
            _app.Changes.Observer = this;
            _app.Events.AddObserver(this);
            _lastFullLook = now;
            return _images = new StateImages(_app);
        }

        bool everything = _time.GetElapsedTime(_lastFullLook, now) > _limits.FullLook;
        if (everything || _isScheduled)
        {
            _lastFullLook = everything ? now : _lastFullLook;
            Publish(everything);
        }

        return _images ?? Prepare();
    }

    /// <summary>Once the code that runs now comes to a wait; several changes of one moment are told as one.</summary>
    private void Schedule()
    {
        if (!_isScheduled)
        {
            _isScheduled = true;
            _ = PublishLaterAsync();
        }
    }

    private async Task PublishLaterAsync()
    {
        await Task.Yield();
        if (_isScheduled)
        {
            Publish(everything: false);
        }
    }

    private void Publish(bool everything)
    {
        _isScheduled = false;
        if (_images is null)
        {
            return;
        }

        try
        {
            StateDelta delta = _images.Refresh(_app.Changes.TakeTouched(), _announced, everything);
            _announced.Clear();
            foreach (QubeDelta qube in delta.Qubes.Where(qube => qube.Before is null))
            {
                _files.Want(qube.Qube);
            }

            if (!delta.IsEmpty || _toldRevision != _revision)
            {
                _toldRevision = _revision;
                Tell(delta, _images);
            }
        }
        catch (Exception e)
        {
            // What was told no longer counts: everybody begins anew.
            _logger.LogError(e, "The state could not be told to those who follow it");
            Forget();
        }
    }

    private void Tell(StateDelta delta, StateImages images)
    {
        _position = _position with { Number = _position.Number + 1 };
        _buffer.Truncate(0);
        foreach (QubeDelta qube in delta.Qubes)
        {
            StateMessages.Write(_buffer, qube);
            if (qube.After is null)
            {
                _told.Remove(qube.Name);
            }
        }

        if (delta.SystemBefore is { } before)
        {
            StateMessages.WriteSystemChanges(_buffer, before, images.System);
        }

        StateMessages.WritePosition(_buffer, _position, _revision);
        byte[] messages = _buffer.Written.ToArray();
        _ring.Add(new StateEntry(_position.Number, messages, [.. delta.Qubes.Select(qube => qube.Name)], delta.SystemBefore is not null));
        bool hasPolicy = false;

        // The array is replaced, not changed, when a follower leaves while its message is sent.
        foreach (StateFollower follower in _followers)
        {
            if (follower.SeesAll)
            {
                follower.Stream.Send(messages);
                continue;
            }

            if (!hasPolicy)
            {
                RefreshPolicy();
                hasPolicy = true;
            }

            _buffer.Truncate(0);
            follower.Write(_app, images, _policy!, delta, _buffer);
            StateMessages.WritePosition(_buffer, _position, _revision);
            follower.Stream.Send(_buffer.Written);
        }
    }

    private HashSet<string> ToldTo(Qube caller)
    {
        if (!_told.TryGetValue(caller.Name, out HashSet<string>? told))
        {
            _told.Add(caller.Name, told = new HashSet<string>(StringComparer.Ordinal));
        }

        return told;
    }

    /// <summary>If the policy is another one by now, that is a change by itself: positions before it are told apart from those after.</summary>
    private void NoticePolicy(StateImages images)
    {
        if (_policy is not null && !ReferenceEquals(_policies.Current(), _policy))
        {
            Tell(new StateDelta([], null), images);
        }

        RefreshPolicy();
    }

    private void RefreshPolicy()
    {
        LoadedPolicy policy = _policies.Current();
        if (!ReferenceEquals(policy, _policy))
        {
            _policy = policy;
            _policySince = _position.Number;
        }
    }

    private void Forget()
    {
        _images = null;
        _app.Changes.Observer = null;
        _app.Events.RemoveObserver(this);
        _announced.Clear();
        StateFollower[] followers = _followers;
        _followers = [];
        foreach (StateFollower follower in followers)
        {
            follower.Stream.End(QubesErrors.StateExpired());
        }
    }
}
