using System.Runtime.CompilerServices;
using Qubes.Client.Transport;
using Qubes.Protocol.Errors;

namespace Qubes.Client.State;

/// <summary>
/// The daemon's whole state, kept current: gets it once, follows its changes, takes up again after a lost connection where it was, and
/// gets it anew if it was away too long. For one reader.
/// </summary>
public sealed class StateMirror : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly IAdminTransport _transport;
    private readonly TimeProvider _time;
    private Stream? _stream;
    private IAsyncEnumerator<AdminEvent>? _events;
    private StateChanges? _changes;
    private TimeSpan _pause = FirstPause;

    public StateMirror(IAdminTransport transport, TimeProvider? time = null)
    {
        _transport = transport;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>The newest state; null before the first one came.</summary>
    public SystemState? Current { get; private set; }

    /// <summary>How often the whole state was got.</summary>
    public int Fetches { get; private set; }

    /// <summary>Yields the state, and every later one, until cancelled. Connections that are lost are made again.</summary>
    /// <exception cref="QubesException">The daemon refuses, or could not be reached the first time.</exception>
    public async IAsyncEnumerable<SystemState> FollowAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (true)
        {
            yield return await NextAsync(cancellation);
        }
    }

    /// <summary>Waits for the next state: the first one, or one that differs from <see cref="Current"/> in position.</summary>
    public async Task<SystemState> NextAsync(CancellationToken cancellation = default)
    {
        while (true)
        {
            try
            {
                if (await TryAdvanceAsync(cancellation) is { } next)
                {
                    _pause = FirstPause;
                    return Current = next;
                }
            }
            catch (QubesException e) when (e.WireName == QubesErrorNames.StateExpired)
            {
                await DisconnectAsync();
                _changes = null;
            }
            catch (QubesException e) when (Current is not null && e.WireName is ClientErrors.CommunicationError or ClientErrors.AccessError)
            {
                await PauseAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                // The reader of the stream ended with the token.
                await DisconnectAsync();
                throw;
            }
            catch (IOException) when (Current is not null)
            {
                await PauseAsync(cancellation);
            }
        }
    }

    public async ValueTask DisposeAsync() => await DisconnectAsync();

    /// <summary>One step: get, connect or read. Null: nothing new yet.</summary>
    private async Task<SystemState?> TryAdvanceAsync(CancellationToken cancellation)
    {
        if (_changes is null)
        {
            AdminCall get = new("dom0", "admin.state.Get", "", ReadOnlyMemory<byte>.Empty);
            SystemState state = SystemState.Parse(AdminReply.Content(await _transport.SendAsync(get, cancellation)));
            Fetches++;
            _changes = new StateChanges(state);
            return Current is { } known && known.Position == state.Position ? null : state;
        }

        if (_events is null)
        {
            AdminCall follow = new("dom0", "admin.state.Follow", Current!.Position, ReadOnlyMemory<byte>.Empty);
            _stream = await _transport.OpenAsync(follow, cancellation);
            _events = EventReader.ReadAsync(_stream, cancellation).GetAsyncEnumerator(cancellation);
            _changes = new StateChanges(Current);
        }

        if (!await _events.MoveNextAsync())
        {
            throw ClientErrors.Communication("The daemon ended the connection");
        }

        return _changes.Take(_events.Current) is { } next && next.Position != Current!.Position ? next : null;
    }

    private async Task PauseAsync(CancellationToken cancellation)
    {
        await DisconnectAsync();
        await Task.Delay(_pause, _time, cancellation);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private async Task DisconnectAsync()
    {
        if (_events is not null)
        {
            await _events.DisposeAsync();
            _events = null;
        }

        if (_stream is not null)
        {
            await _stream.DisposeAsync();
            _stream = null;
        }
    }
}
